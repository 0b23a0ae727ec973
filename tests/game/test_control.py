"""The clean tree's own answer, for a check that asks: when it is measured, how often, what without it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.measure.measurer import Measurer, Mode
from bughunt.workspace.injection import inject

SEED = 11


@pytest.fixture(params=["fork", "fresh"])
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    mode: Mode = request.param
    with Judge(tree_folder(), Measurer(mode, confinement="none", workers=2)) as judge:
        yield judge


_ASKS_THE_CLEAN_TREE = """
def test_it(inputs, measured, clean):
    assert measured == clean, "apart"
"""

_SAYS_WHERE_IT_RAN = """
import os
from pathlib import Path


def draw(rng):
    return {"number": rng.randrange(1 << 60), "diary": DIARY}


def measure(inputs):
    import nanochat

    clean = "judge-tree" not in nanochat.__file__
    with Path(inputs["diary"]).open("a") as diary:
        diary.write(f"{inputs['number']} {'clean' if clean else 'workspace'} {os.getppid()}\\n")
    return inputs["number"] % 7
"""


@pytest.fixture
def asking(tmp_path: Path) -> tuple[Bug, Path, Path]:
    """A bug whose check asks for the clean tree's answer, a workspace, and a diary of what was measured."""
    shutil.copytree(challenges_folder() / "level1", tmp_path / "challenges" / "level1")
    bug = load_catalog(tmp_path / "challenges").bug("1.1")
    diary, tree = tmp_path / "diary", tmp_path / "judge-tree"
    bug.check.write_text(_ASKS_THE_CLEAN_TREE)
    bug.measure.write_text(_SAYS_WHERE_IT_RAN.replace("DIARY", repr(str(diary))))
    inject(tree, [])
    return bug, tree, diary


def test_a_check_may_ask_what_the_clean_tree_does_with_the_same_inputs(
    judge: Judge, asking: tuple[Bug, Path, Path]
) -> None:
    """It is measured before the workspace is given these inputs, and once for a seed."""
    bug, tree, diary = asking
    for _ in range(2):
        assert judge.judge(bug, tree, SEED).kind == "fixed"
    entries = [line.split() for line in diary.read_text().splitlines()]
    for number in {number for number, _, _ in entries}:
        places = [place for other, place, _ in entries if other == number]
        assert places == ["clean", "workspace", "workspace"]
    assert [place for _, place, _ in entries[:2]] == ["clean", "clean"]
    # Of an answer, something may stay in the memory of the process that forks.
    forkers = {(place, parent) for _, place, parent in entries}
    assert {one for place, one in forkers if place == "clean"}.isdisjoint(
        {one for place, one in forkers if place == "workspace"}
    )
    assert judge.clean(bug, SEED) == judge.measure(bug, tree, SEED)[1].data


def test_its_answer_may_be_measured_ahead(judge: Judge, asking: tuple[Bug, Path, Path]) -> None:
    bug, tree, diary = asking
    judge.ask_ahead(bug, SEED)
    asked = diary.read_text()
    assert [line.split()[1] for line in asked.splitlines()] == ["clean", "clean"]
    assert judge.judge(bug, tree, SEED).kind == "fixed"
    after = diary.read_text().removeprefix(asked)
    assert {line.split()[1] for line in after.splitlines()} == {"workspace"}


def test_a_check_that_does_not_ask_costs_no_measurement_more(
    judge: Judge, asking: tuple[Bug, Path, Path]
) -> None:
    bug, tree, diary = asking
    bug.check.write_text("def test_it(inputs, measured):\n    assert measured == inputs['number'] % 7\n")
    assert judge.judge(bug, tree, SEED).kind == "fixed"
    assert judge.clean(bug, SEED) is None
    assert {line.split()[1] for line in diary.read_text().splitlines()} == {"workspace"}


def test_without_the_clean_trees_answer_nothing_is_said_of_the_workspace(
    asking: tuple[Bug, Path, Path], tmp_path: Path
) -> None:
    bug, tree, diary = asking
    inject(tmp_path / "worn", [])
    (tmp_path / "worn" / "nanochat" / "__init__.py").write_text("raise OSError('no such device')\n")
    with Judge(tmp_path / "worn") as judge:
        verdict = judge.judge(bug, tree, SEED)
        judge.ask_ahead(bug, SEED)
    assert verdict.kind == "unknown"
    assert "no such device" in verdict.message
    assert not diary.exists()
