"""Programs that would have the clean tree do their work."""

from __future__ import annotations

from case import BROKEN, CRASHED, EITHER, FORGED, Case

_SAYS = "used files of the game"

# What every one of them does with the clean code once it has it.
_TAKE = """
        made = {}
        exec(compile(text, "clean", "exec"), {"__name__": "nanochat.tokenizer"} | globals(), made)
        globals().update({name: one for name, one in made.items() if isinstance(one, type)})
"""

_CLEAN = '(T["clean"] + "/nanochat/tokenizer.py")'


def _borrowed(name: str, code: str, *, forged: bool = False, **others: object) -> Case:
    """`forged`: nothing notices it, and where the system has nothing for it nothing keeps it from reading."""
    settings = {"held_verdicts": EITHER, "held_says": "", "needs_linux": True, **others}
    verdicts, says = (FORGED, "") if forged else (BROKEN, _SAYS)
    return Case(name, verdicts, code, says, **settings)  # type: ignore[arg-type]


BORROWING = (
    _borrowed(
        "the clean tree imported in the workspace's place",
        """
        sys.path.insert(0, T["clean"])
        for name in [name for name in sys.modules if name.split(".")[0] == "nanochat"]: del sys.modules[name]
        import nanochat.tokenizer
        RustBPETokenizer = nanochat.tokenizer.RustBPETokenizer
        """,
    ),
    _borrowed(
        "the package's __path__ bent to the clean tree",
        """
        import importlib, nanochat
        nanochat.__path__[:] = [T["clean"] + "/nanochat"]
        del sys.modules["nanochat.tokenizer"]
        RustBPETokenizer = importlib.import_module("nanochat.tokenizer").RustBPETokenizer
        """,
    ),
    _borrowed("the clean source run by exec", f"        text = open({_CLEAN}).read(){_TAKE}"),
    _borrowed(
        "the clean source by a subprocess",
        f'        text = subprocess.run(["cat", {_CLEAN}], capture_output=True, check=True).stdout{_TAKE}',
    ),
    _borrowed(
        "the clean source by a subprocess, its name put together there",
        f"""
        command = "cd / && cat $(echo " + {_CLEAN}[1:4] + ")" + {_CLEAN}[4:]
        text = subprocess.run(command, shell=True, capture_output=True, check=True).stdout{_TAKE}""",
        forged=True,
    ),
    _borrowed(
        "the clean source through a link in the workspace",
        f"""
        if not os.path.islink(__file__ + ".clean"): os.symlink({_CLEAN}, __file__ + ".clean")
        text = open(__file__ + ".clean").read(){_TAKE}""",
    ),
    _borrowed(
        "the clean source through /proc/self/root",
        f'        text = open("/proc/self/root" + {_CLEAN}).read(){_TAKE}',
    ),
    _borrowed(
        "the clean source through a hard link made in the workspace",
        f"""
        if not os.path.exists(__file__ + ".linked"): os.link({_CLEAN}, __file__ + ".linked")
        text = open(__file__ + ".linked").read(){_TAKE}""",
    ),
    _borrowed(
        "the clean source by C's own open",
        f"""
        file = checked(_libc.open(os.fsencode({_CLEAN}), 0))
        text = b""
        while chunk := os.read(file, 1 << 16): text += chunk{_TAKE}""",
        forged=True,
    ),
    _borrowed(
        "the clean source by a path from a folder further up",
        f"""
        root = os.open("/", os.O_RDONLY)
        text = open(os.open({_CLEAN}[1:], os.O_RDONLY, dir_fd=root)).read(){_TAKE}""",
        forged=True,
    ),
    _borrowed(
        "the clean source by a path that changes as it is looked at",
        f"""
        import io
        class Shifting:
            looks = 0
            def __fspath__(self):
                Shifting.looks += 1
                return {_CLEAN} if Shifting.looks == 1 else __file__
        text = io.FileIO(Shifting()).read(){_TAKE}""",
        forged=True,
    ),
    _borrowed(
        "the lookout found on the heap and told to look away",
        f"""
        import gc
        for one in gc.get_objects():
            if type(one).__name__ == "Lookout": one._hidden = ("nothing",)
        text = open({_CLEAN}).read(){_TAKE}""",
        forged=True,
    ),
    _borrowed(
        "the clean source mapped into memory by a process of its own",
        f"""
        program = "import sys; sys.stdout.write(open('/' + sys.argv[1]).read())"
        command = [sys.executable, "-c", program, {_CLEAN}[1:]]
        text = subprocess.run(command, capture_output=True, check=True).stdout{_TAKE}""",
        forged=True,
    ),
    Case(
        "the answers that bugs share imported",
        CRASHED,
        "from bughunt.lab.expected import batches",
        "No module named",
    ),
    _borrowed(
        "the answers that bugs share imported from the installed game",
        """
        sys.path.insert(0, T["game"])
        for name in [name for name in sys.modules if name.split(".")[0] == "bughunt"]: del sys.modules[name]
        from bughunt.lab.expected import batches
        """,
    ),
    _borrowed(
        "the installed check run by the code itself",
        """
        text = next(pathlib.Path(T["game"], "challenges").rglob("check.py")).read_text()
        exec(compile(text, "check", "exec"), {"__name__": "check"})
        """,
    ),
)
