"""The diagonal: a check fails for its own bug and for no other, by its own assertion.

`pytest tests/challenges/test_matrix.py -k table` prints the matrix, a row at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import pytest
from proof import Build, Look, every_bug

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level

BUGS = every_bug()
README = Path(__file__).resolve().parents[2] / "README.md"
SEED = 20_261_122


def short(bug: Bug) -> str:
    return bug.id


@pytest.mark.parametrize("bug", BUGS, ids=short)
def test_every_check_passes_on_the_clean_tree(bug: Bug, look: Look) -> None:
    assert look(bug, tree_folder(), SEED) == "fixed"


@pytest.mark.few(3)
@pytest.mark.parametrize("injected", BUGS, ids=short)
def test_table(injected: Bug, look: Look, build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    """With one bug injected, its own check says broken and every other says fixed; the README shows it."""
    tree = build([injected])
    kinds = {bug.id: look(bug, tree, SEED) for bug in BUGS}
    assert kinds == {bug.id: "broken" if bug is injected else "fixed" for bug in BUGS}
    row = line(injected.id, kinds.values())
    with capsys.disabled():
        print(f"\n{row}")
    head = line("bug in", (bug.id for bug in BUGS))
    (table,) = (block for block in README.read_text(encoding="utf-8").split("```") if head in block)
    assert row in table.splitlines()


def line(first: str, others: Iterable[str]) -> str:
    """A line of the matrix: for one injected bug what each check says, or the names of the checks."""
    return f"{first:7}  {'  '.join(f'{other:6}' for other in others)}".rstrip()


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS, ids=short)
def test_within_its_level_only_the_repaired_bug_is_fixed(
    bug: Bug, look: Look, build: Build, catalog: Catalog
) -> None:
    level = catalog.level_of(catalog.bug(bug.id))
    tree = build([other for other in level.bugs if other.id != bug.id])
    verdicts = {other.id: look(other, tree, SEED) for other in level.bugs}
    assert verdicts == {other.id: "fixed" if other.id == bug.id else "broken" for other in level.bugs}


@pytest.mark.parametrize("level", load_catalog().levels, ids=lambda level: level.id)
def test_every_subset_of_a_levels_patches_applies(level: Level, build: Build) -> None:
    """In any order, with the same result: each file is the clean one with just those defects in it."""
    for size in range(1, len(level.bugs) + 1):
        for subset in itertools.combinations(level.bugs, size):
            orders = list(itertools.permutations(subset))
            trees = [build(order) for order in (orders[0], orders[-1])]
            for file in {file for bug in subset for file in bug.files}:
                assert len({(tree / file).read_bytes() for tree in trees}) == 1, (file, subset)
            for bug in subset:
                for file, before, after in defects(bug):
                    text = (trees[0] / file).read_text(encoding="utf-8")
                    assert after in text
                    assert not before or before not in text


def defects(bug: Bug) -> list[tuple[str, str, str]]:
    """(file, removed line, added line) of a patch, where the lines are distinctive."""
    found, file = [], ""
    for line in bug.patch.read_text(encoding="utf-8").splitlines():
        if line.startswith("+++ b/"):
            file = line.removeprefix("+++ b/")
        elif line.startswith("+"):
            found.append((file, "", line[1:]))
    return found
