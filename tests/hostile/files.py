"""Programs that change files which are none of their business."""

from __future__ import annotations

from case import BROKEN, EITHER, Case, refused
from field import FILE, GAME, GIT, KIT, LOG, PACKAGES, SCRATCH, SHM, STATE

# In the sandbox the hunt is hidden: that the code looked for it is noticed, whatever it does about the error.
# The hunt's records are no business of the code's either: it is told as for files of the game.
_NOTICED = {"verdicts": EITHER, "held_verdicts": BROKEN, "held_says": "used files of the game"}

OUTSIDE = (
    refused("a file outside written to", FILE, "open(T['file'], 'w').write('gotcha')"),
    refused("a file outside emptied", FILE, "os.truncate(T['file'], 0)"),
    refused(
        "a file outside emptied by opening it to be read",
        FILE,
        "os.open(T['file'], os.O_RDONLY | os.O_TRUNC)",
    ),
    refused("a file outside deleted", FILE, "os.unlink(T['file'])"),
    refused("a file outside moved here", FILE, "os.rename(T['file'], __file__ + '.mine')"),
    refused(
        "a file outside exchanged for one of the workspace's",
        FILE,
        "call('renameat2', -100, path('file'), -100, os.fsencode(__file__), 2)",
        perhaps=True,
    ),
    refused("a folder made outside", FILE, "os.mkdir(T['outside'] + '/mine')"),
    refused("a link made outside", FILE, "os.symlink('/', T['outside'] + '/mine')"),
    refused("a FIFO made outside", FILE, "os.mkfifo(T['outside'] + '/mine')"),
    refused("a file of the workspace's linked to outside", FILE, "os.link(__file__, T['outside'] + '/mine')"),
    refused(
        "a file outside written to by a shell",
        FILE,
        "subprocess.run('echo gotcha > \"$F\"', shell=True, check=True, env={'F': T['file']})",
    ),
    refused(
        "a file outside written to through /proc/self/root",
        FILE,
        "open('/proc/self/root' + T['file'], 'w').write('gotcha')",
    ),
    refused(
        "a file outside written to through another process's current folder",
        FILE,
        "open(f\"/proc/{T['pid']}/cwd{T['file']}\", 'w').write('gotcha')",
    ),
    refused(
        "a file outside written to through a link in the workspace",
        FILE,
        """
        if not os.path.islink(__file__ + ".link"): os.symlink(T["file"], __file__ + ".link")
        open(__file__ + ".link", "w").write("gotcha")
        """,
    ),
    refused(
        "a file outside written to through a descriptor of its folder",
        FILE,
        """
        folder = os.open(T["outside"], os.O_PATH)
        os.write(os.open("file.txt", os.O_WRONLY, dir_fd=folder), b"gotcha")
        """,
    ),
    refused(
        "a descriptor that reads made one that writes, through /proc/self/fd",
        FILE,
        """
        reading = os.open(T["file"], os.O_RDONLY)
        os.write(os.open(f"/proc/self/fd/{reading}", os.O_WRONLY), b"gotcha")
        """,
    ),
    refused(
        "a nameless file given a name outside",
        FILE,
        """
        made = os.open(os.path.dirname(__file__), os.O_TMPFILE | os.O_WRONLY)
        name = os.fsencode(T["outside"] + "/mine")
        call("linkat", -100, os.fsencode(f"/proc/self/fd/{made}"), -100, name, 0x400)
        """,
    ),
    refused(
        "a file outside written to by a thread of its own",
        FILE,
        """
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(lambda: open(T["file"], "w").write("gotcha")).result()
        """,
    ),
    refused(
        "a file left in /dev/shm",
        SHM,
        "open(T['shm'], 'w').write('kept')",
        held_verdicts=EITHER,
        held_says="",
    ),
)

THE_GAME = (
    refused(
        "the hunt's state written",
        STATE,
        """open(T["hunt"] + "/state.json", "w").write('{"1.1": "fixed"}')""",
        **_NOTICED,
    ),
    refused(
        "a line added to the hunt's log",
        LOG,
        """open(T["hunt"] + "/log.jsonl", "a").write('{"verdict": "fixed"}')""",
        **_NOTICED,
    ),
    refused(
        "the installed check overwritten",
        GAME,
        """
        for check in pathlib.Path(T["game"], "challenges").rglob("check.py"):
            check.write_text("def test_nothing(): pass")
        """,
        held_verdicts=EITHER,
        held_says="",
    ),
    Case(
        "a pytest.ini written into the installed game",
        BROKEN,
        """
        settings = "[pytest]\\naddopts = --runxfail -k nothing\\n"
        pathlib.Path(T["game"], "bughunt/judge/pytest.ini").write_text(settings)
        """,
        reaches=(GAME,),
        held_verdicts=EITHER,
        held_says="",
        needs_linux=True,
    ),
    Case(
        "every module of the installed game overwritten",
        EITHER,
        """
        for module in pathlib.Path(T["game"], "bughunt").rglob("*.py"):
            module.write_text("import os; os._exit(0)")
        """,
        reaches=(GAME,),
        held_verdicts=EITHER,
        held_says="",
        needs_linux=True,
    ),
    refused(
        "a module's compiled file put into the installed game",
        GAME,
        """
        folder = pathlib.Path(T["game"], "bughunt/judge/__pycache__")
        folder.mkdir(exist_ok=True)
        (folder / f"verdict.{sys.implementation.cache_tag}.pyc").write_bytes(b"gotcha")
        (folder / "planted").touch()
        """,
    ),
    refused(
        "the measuring tools overwritten",
        KIT,
        """pathlib.Path(T["kit"], "bughunt/measure/inside.py").write_text("")""",
    ),
    refused(
        "a sitecustomize.py among the packages",
        PACKAGES,
        """pathlib.Path(T["packages"], "sitecustomize.py").write_text("import os; os._exit(0)")""",
    ),
    refused(
        "a .pth file among the packages",
        PACKAGES,
        """pathlib.Path(T["packages"], "planted.pth").write_text("import os; os._exit(0)")""",
    ),
    refused(
        "a package's module overwritten",
        PACKAGES,
        """pathlib.Path(T["packages"], "canary/__init__.py").write_text("gotcha")""",
    ),
    refused(
        "every scratch folder but its own written to",
        SCRATCH,
        """
        own = pathlib.Path.cwd()
        for folder in pathlib.Path(T["scratch"]).iterdir():
            if not own.is_relative_to(folder): (folder / "result.txt").write_text("gotcha")
        (pathlib.Path(T["scratch"]) / "bughunt-other/result.txt").write_text("gotcha")
        """,
    ),
    refused(
        "the workspace's .git/config rewritten",
        GIT,
        """
        pathlib.Path(T["hunt"] + "/../level1/.git/config").write_text("[core]\\n\\tfsmonitor = reboot\\n")
        """,
    ),
)
