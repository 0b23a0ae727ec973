"""What holds the measured code keeps no honest repair from passing, and notices one that borrows its code."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from bughunt.confine import hold
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge, Verdict
from bughunt.measure.measurer import Confinement, Measurer
from bughunt.measure.sandbox import WAYS, lacking, trouble_with
from bughunt.workspace.injection import inject

BUG = load_catalog().bug("1.1")
TOKENIZER = "nanochat/tokenizer.py"
BORROWED = "used files of the game itself"

ANYWHERE = {
    "a print": "print('tokenizing', flush=True)",
    "a stack printed": "import traceback; traceback.print_stack()",
    "a warning": "import warnings; warnings.warn('careful')",
    "source looked at": """
        import inspect, sys
        inspect.getsource(inspect); inspect.getsource(sys.modules["bughunt.measure.inside"])
        """,
    "packages listed": """
        import importlib.metadata, pkgutil
        list(importlib.metadata.distributions()); list(pkgutil.iter_modules())
        """,
    "a thread pool": """
        from concurrent.futures import ThreadPoolExecutor
        assert list(ThreadPoolExecutor(8).map(abs, [-1, 2])) == [1, 2]
        """,
    "a process pool": """
        if __name__ == "nanochat.tokenizer":
            from concurrent.futures import ProcessPoolExecutor
            with ProcessPoolExecutor(2) as pool: assert list(pool.map(abs, [-1, 2])) == [1, 2]
        """,
    "another program": """
        import subprocess
        assert subprocess.run(["sort"], input=b"b\\na", capture_output=True).stdout == b"a\\nb\\n"
        """,
    "another program ended": """
        import subprocess
        sleeping = subprocess.Popen(["sleep", "100"]); sleeping.terminate(); sleeping.wait()
        """,
    "temporary files": """
        import shutil, tempfile
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
            shutil.copy2(file.name, folder + "/copy"); shutil.copytree(folder, folder + "/copies")
        """,
    "the event loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "who and where": """
        import getpass, platform, socket
        getpass.getuser(), platform.platform(), socket.gethostname()
        """,
    "limits of its own": """
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); os.nice(1)
        os.sched_setaffinity(0, os.sched_getaffinity(0))
        """,
    "the standard library read": "import os; open(os.__file__).read()",
    "talking to itself": """
        import socket
        with socket.create_server(("localhost", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        one, other = socket.socketpair(); one.send(b"x"); assert other.recv(1) == b"x"
        """,
}

BESIDE_THE_CODE = {
    "a log beside the code": """
        import logging, pathlib
        here = pathlib.Path(__file__).parent
        logging.basicConfig(filename=here / "debug.log", force=True); logging.warning("tokenizing")
        """,
    "results kept and moved": """
        import os, pathlib
        root = pathlib.Path(__file__).parents[1]
        (root / "runs").mkdir(exist_ok=True); (root / "new.txt").write_text("x")
        os.replace(root / "new.txt", root / "runs" / "old.txt")
        """,
    "a cache in SQLite": """
        import pathlib, sqlite3
        cache = sqlite3.connect(pathlib.Path(__file__).parent / "cache.db")
        cache.execute("create table if not exists ids (id)")
        """,
}

BORROWING = {
    "opened": "open({tree!r} + '/nanochat/tokenizer.py')",
    "through a link": """
        import os
        os.symlink({tree!r}, "link"); open("link/nanochat/tokenizer.py")
        """,
    "run": "exec(open({tree!r} + '/nanochat/tokenizer.py').read(), globals())",
    "copied": "import shutil; shutil.copy({tree!r} + '/nanochat/tokenizer.py', 'copy.py')",
    "by another program": "import subprocess; subprocess.run(['cat', {tree!r} + '/nanochat/tokenizer.py'])",
    "with the error kept back": """
        try: open({tree!r} + '/nanochat/tokenizer.py')
        except OSError: pass
        """,
}


@pytest.fixture(scope="module", params=["none", "default", *WAYS])
def confinement(request: pytest.FixtureRequest) -> Confinement:
    chosen: Confinement = request.param
    if chosen == "default" and hold.lacking():
        pytest.skip(f"this system lacks {hold.lacking()}")
    if chosen in WAYS:
        if hold.lacking():
            pytest.skip(f"no sandbox here: {lacking()}")
        if trouble := trouble_with(chosen):
            pytest.skip(f"no {chosen} here: {trouble}")
    return chosen


@pytest.fixture(scope="module")
def judge(confinement: Confinement) -> Iterator[Judge]:
    with Judge(tree_folder(), Measurer(confinement=confinement, hidden=own_folders(), workers=2)) as judge:
        yield judge


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hunt") / "level1"
    inject(folder, [])
    return folder


def judged(judge: Judge, workspace: Path, code: str) -> Verdict:
    """The verdict on the clean tree with `code` at the end of the tokenizer."""
    text = (tree_folder() / TOKENIZER).read_text(encoding="utf-8")
    (workspace / TOKENIZER).write_text(f"{text}\n\n{dedent(code)}\n", encoding="utf-8")
    return judge.judge(BUG, workspace, 7)


def test_honest_code_passes(judge: Judge, workspace: Path, confinement: Confinement) -> None:
    """All of it in one, with what writes beside the code, unless that can only be read: in a sandbox."""
    codes = [*ANYWHERE.values(), *(() if confinement in WAYS else BESIDE_THE_CODE.values())]
    verdict = judged(judge, workspace, "\n".join(map(dedent, codes)))
    assert verdict.kind == "fixed", verdict


@pytest.mark.soak
@pytest.mark.parametrize("name", [*ANYWHERE, *BESIDE_THE_CODE])
def test_honest_code_passes_by_itself(
    name: str, judge: Judge, workspace: Path, confinement: Confinement
) -> None:
    if confinement in WAYS and name in BESIDE_THE_CODE:
        pytest.skip("in a sandbox the workspace can only be read")
    verdict = judged(judge, workspace, {**ANYWHERE, **BESIDE_THE_CODE}[name])
    assert verdict.kind == "fixed", verdict


def test_what_is_refused_says_that_the_game_refuses_it(
    judge: Judge, workspace: Path, confinement: Confinement
) -> None:
    verdict = judged(judge, workspace, f"open({str(workspace.parent / 'log')!r}, 'w')")
    if confinement == "none":
        assert verdict.kind == "fixed", verdict
    else:
        assert verdict.kind == "crashed" and "code may write to" in verdict.message, verdict


def test_what_was_printed_before_a_crash_is_shown(judge: Judge, workspace: Path) -> None:
    verdict = judged(judge, workspace, "print('rows', 3, 'of', 4); raise ValueError('no more')")
    assert verdict.kind == "crashed" and "may write" not in verdict.message, verdict
    assert "\n\nBefore that it printed:\nrows 3 of 4" in verdict.detail, verdict


@pytest.mark.parametrize("name", BORROWING)
def test_borrowing_is_said(name: str, judge: Judge, workspace: Path) -> None:
    verdict = judged(judge, workspace, BORROWING[name].format(tree=str(tree_folder())))
    assert verdict.kind == "broken", verdict
    assert BORROWED in verdict.message


def test_a_package_from_elsewhere_is_no_repair(judge: Judge, tmp_path: Path) -> None:
    """A copy of the clean code that is not the game's own: its modules show where they came from."""
    copy = tmp_path / "copy"
    shutil.copytree(tree_folder() / "nanochat", copy / "nanochat")
    workspace = tmp_path / "hunt" / "level1"
    inject(workspace, [BUG])
    init = workspace / "nanochat/__init__.py"
    init.write_text(f"__path__.insert(0, {str(copy / 'nanochat')!r})\n", encoding="utf-8")
    verdict = judge.judge(BUG, workspace, 7)
    assert verdict.kind != "fixed", verdict


def test_no_right_answer_is_to_be_had(judge: Judge, workspace: Path) -> None:
    verdict = judged(
        judge,
        workspace,
        """
        import importlib
        for name in ("bughunt.lab.expected", "bughunt.judge", "bughunt.content", "bughunt.hunt"):
            try: importlib.import_module(name)
            except ModuleNotFoundError: continue
            raise LookupError(name)
        """,
    )
    assert verdict.kind == "fixed", verdict
