"""The judge after a measurement, and right code that behaves badly. Hostile code: see tests/hostile."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import ended

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import challenges_folder, own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure.measurer import Measurer, Mode
from bughunt.measure.outcomes import Limits
from bughunt.workspace.injection import inject

pytestmark = pytest.mark.few(8, together=True)

LIMITS = Limits(seconds=3, memory=1 << 30, written=4 << 20, returned=1 << 20, processes=64)
SEED = 7
TOKENIZER = "nanochat/tokenizer.py"

MESS = """

import pathlib, subprocess, sys, threading, time
print("x" * 100_000)
threading.Thread(target=time.sleep, args=(1000,)).start()
leftover = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
pathlib.Path(__file__).parents[1].joinpath("pids").open("a").write(f"{leftover.pid} ")
"""


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
        judge.prepare(bug for bug in catalog.level("1").bugs if bug.id == "1.1")
        yield judge


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder of a hunt, not there yet."""
    (tmp_path / "hunt" / ".bughunt").mkdir(parents=True)
    return tmp_path / "hunt" / "level1"


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
    inject(workspace, [])
    (workspace / TOKENIZER).open("a").write(MESS)
    assert judge.judge(catalog.bug("1.1"), workspace, SEED).kind == "fixed"
    pids = (workspace / "pids").read_text().split()
    assert pids and all(ended(int(pid)) for pid in pids)
