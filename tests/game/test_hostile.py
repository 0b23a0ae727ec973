"""No code in a workspace gets a verdict that it has not earned, and none keeps the judge from giving one."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile import CASES, LOADER, TOKENIZER, Case, as_markdown
from waiting import ended

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import challenges_folder, own_folders, tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge, Verdict
from bughunt.measure import connection
from bughunt.measure.measurer import Measurer, Mode
from bughunt.measure.outcomes import Limits
from bughunt.workspace.injection import inject

LIMITS = Limits(seconds=3, memory=1 << 30, written=4 << 20, returned=1 << 20, processes=64)
SEED = 7
BUG_OF = {TOKENIZER: "1.1", LOADER: "1.2"}


@pytest.fixture(scope="module")
def catalog(mode: Mode, tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The challenges of level 1 where they may be tampered with."""
    folder = tmp_path_factory.mktemp("challenges") / "challenges"
    shutil.copytree(challenges_folder() / "level1", folder / "level1")
    return load_catalog(folder)


@pytest.fixture(scope="module", params=["fork", "fresh"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    if chosen == "fork" and sys.platform == "win32":
        pytest.skip("Windows cannot fork")
    return chosen


@pytest.fixture(scope="module")
def judge(mode: Mode, catalog: Catalog) -> Iterator[Judge]:
    measurer = Measurer(mode, workers=2 if mode == "fork" else 1, hidden=own_folders())
    with Judge(tree_folder(), measurer, limits=LIMITS) as judge:
        judge.prepare(bug for bug in catalog.level("1").bugs if bug.id in BUG_OF.values())
        yield judge


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder of a hunt, not there yet."""
    (tmp_path / "hunt" / ".bughunt").mkdir(parents=True)
    return tmp_path / "hunt" / "level1"


def in_both_modes() -> Iterator[Any]:
    """Every case both ways; in the soak alone those that wait for the clock much as another does."""
    for mode in ("fork", "fresh"):
        for case in CASES:
            marks = [pytest.mark.soak] if case.waits else []
            yield pytest.param(mode, case, id=f"{mode}-{case.name}", marks=marks)


@pytest.mark.parametrize(("mode", "case"), list(in_both_modes()), indirect=["mode"])
def test_hostile_workspace(
    case: Case,
    mode: Mode,
    judge: Judge,
    catalog: Catalog,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if case.needs_linux and sys.platform != "linux":
        pytest.skip("processes in sessions of their own are found on Linux only")
    bug = catalog.bug(BUG_OF[case.file])
    plant(case, bug, workspace)
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value.format(workspace=workspace))
    monkeypatch.syspath_prepend(str(workspace))
    monkeypatch.setattr(connection, "_MARGIN_SECONDS", 1.5)
    verdict = judge.judge(bug, workspace, SEED)
    assert verdict.kind in case.verdicts, verdict
    assert case.says in verdict.message
    assert_readable(verdict)
    assert_nothing_left_running(workspace)
    assert not [path for path in judge._measurer._scratch.iterdir() if path.is_dir()]


def test_the_judge_is_as_good_as_new_afterwards(judge: Judge, catalog: Catalog, workspace: Path) -> None:
    bug = catalog.bug("1.1")
    assert judge.judge(bug, tree_folder(), SEED).kind == "fixed"
    inject(workspace, [bug])
    assert judge.judge(bug, workspace, SEED).kind == "broken"


@pytest.mark.parametrize("source_is", ["broken", "fixed"])
def test_bytecode_that_is_not_of_the_source(
    source_is: str, judge: Judge, catalog: Catalog, workspace: Path
) -> None:
    """The bytecode in `__pycache__` claims the source's very time and size, and is of other code."""
    bug = catalog.bug("1.1")
    inject(workspace, [bug])
    right, wrong = (tree_folder() / TOKENIZER).read_bytes(), (workspace / TOKENIZER).read_bytes()
    size = max(len(right), len(wrong)) + 2
    source, compiled = (wrong, right) if source_is == "broken" else (right, wrong)
    path = workspace / TOKENIZER
    path.write_bytes(compiled.ljust(size, b"\n"))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    py_compile.compile(str(path), importlib.util.cache_from_source(str(path)), doraise=True)
    path.write_bytes(source.ljust(size, b"\n"))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert judge.judge(bug, workspace, SEED).kind == source_is


def test_a_right_fix_that_leaves_a_mess_is_fixed(judge: Judge, catalog: Catalog, workspace: Path) -> None:
    """Output, threads and children are no reason to call right code wrong."""
    mess = Case(
        "mess",
        frozenset({"fixed"}),
        """
        import subprocess, sys, threading, time
        print("x" * 100_000)
        threading.Thread(target=time.sleep, args=(1000,)).start()
        leftover = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        open(__file__ + ".pids", "a").write(f"{leftover.pid} ")
        """,
    )
    inject(workspace, [])
    (workspace / TOKENIZER).open("a").write(mess.planted)
    assert judge.judge(catalog.bug("1.1"), workspace, SEED).kind == "fixed"
    assert_nothing_left_running(workspace)


def test_the_docs_show_these_cases() -> None:
    assert "fixed" not in {word for case in CASES for word in case.verdicts}
    docs = Path(__file__).resolve().parents[2] / "docs" / "judge.md"
    assert docs.read_text(encoding="utf-8").endswith(f"\n\n{as_markdown()}\n")


def plant(case: Case, bug: Bug, workspace: Path) -> None:
    inject(workspace, [bug])
    with (workspace / case.file).open("a", encoding="utf-8") as file:
        file.write(case.planted)
    for name, text in case.files.items():
        (workspace / name).write_text(text, encoding="utf-8")


def assert_readable(verdict: Verdict) -> None:
    text = verdict.message + verdict.detail
    assert verdict.message
    assert all(c.isprintable() or c in "\n\t" for c in text)
    assert len(text) < 10_000


def assert_nothing_left_running(workspace: Path) -> None:
    noted = [Path(f"{workspace / file}.pids") for file in BUG_OF]
    pids = [pid for path in noted if path.exists() for pid in path.read_text().split()]
    assert all(ended(int(pid)) for pid in pids)
