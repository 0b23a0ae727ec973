"""A seed that a player chooses foretells the inputs, so it proves nothing by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.workspace.injection import inject

SEED, OTHER = 7, 8

_MEASURE = """
def draw(rng):
    return {"number": rng.randrange(1 << 60)}


def measure(inputs):
    from nanochat.common import answer

    return answer(inputs["number"])
"""
_CHECK = """
def test_it(inputs, measured):
    assert measured == inputs["number"] % 7, "another number"
"""


@pytest.fixture
def judge() -> Iterator[Judge]:
    with Judge(tree_folder()) as judge:
        yield judge


@pytest.fixture
def bug(tmp_path: Path) -> Bug:
    shutil.copytree(challenges_folder() / "level1", tmp_path / "challenges" / "level1")
    bug = load_catalog(tmp_path / "challenges").bug("1.1")
    bug.measure.write_text(_MEASURE)
    bug.check.write_text(_CHECK)
    return bug


def workspace_with(answer: str, folder: Path) -> Path:
    inject(folder, [])
    with (folder / "nanochat" / "common.py").open("a") as file:
        file.write(f"\n\ndef answer(number):\n    return {answer}\n")
    return folder


def test_a_table_of_answers_to_a_known_seed_is_no_repair(judge: Judge, bug: Bug, tmp_path: Path) -> None:
    known = {inputs["number"]: inputs["number"] % 7 for inputs in drawn(judge, bug)}
    cheat = workspace_with(f"{known!r}.get(number)", tmp_path / "cheat")
    assert judge.judge(bug, cheat, SEED).kind == "fixed"
    verdict = judge.judge(bug, cheat, SEED, unforeseen=OTHER)
    assert verdict.kind == "broken"
    assert "With the seed that was given it passes, with 8 not." in verdict.message


def test_a_repair_passes_by_any_seed(judge: Judge, bug: Bug, tmp_path: Path) -> None:
    repair = workspace_with("number % 7", tmp_path / "repair")
    assert judge.judge(bug, repair, SEED, unforeseen=OTHER).kind == "fixed"


def drawn(judge: Judge, bug: Bug) -> Iterator[dict[str, int]]:
    """The inputs of both looks at SEED."""
    unlike = workspace_with("None", bug.folder.parent / "unlike")
    for seed in (SEED, f"{SEED}/again"):
        yield judge.measure(bug, unlike, seed)[0]  # type: ignore[arg-type]
