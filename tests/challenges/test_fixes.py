"""Other correct fixes pass and near misses fail: with the bug alone, and within its whole level.

What a near miss is told gives nothing away, either.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from proof import Build, Look, NewSeeds, every_bug
from spoilers import assert_spoils_nothing

from bughunt.content.catalog import Catalog
from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.judge import Judge

BUGS = every_bug()
FIXES = [(bug, patch) for bug in BUGS for patch in sorted((bug.folder / "fixes").glob("*.patch"))]


def each(kind: str) -> pytest.MarkDecorator:
    chosen = [(bug, patch) for bug, patch in FIXES if patch.name.startswith(kind)]
    return pytest.mark.parametrize(
        ("bug", "patch"), chosen, ids=[f"{bug.id}-{patch.stem}" for bug, patch in chosen]
    )


@pytest.mark.few(14)
@each("accept-")
def test_a_correct_fix(
    bug: Bug, patch: Path, look: Look, build: Build, catalog: Catalog, new_seeds: NewSeeds
) -> None:
    """Alone and among the level's other bugs."""
    seed, other = new_seeds(2)
    assert look(bug, build([bug], [patch]), seed) == "fixed", seed
    assert look(bug, among_others(bug, patch, build, catalog), other) == "fixed", other


@pytest.mark.few(22)
@each("reject-")
def test_a_near_miss(
    bug: Bug, patch: Path, judge: Judge, build: Build, catalog: Catalog, new_seeds: NewSeeds
) -> None:
    """Among the level's other bugs. Alone: see below."""
    (seed,) = new_seeds(1)
    verdict = judge.judge(bug, among_others(bug, patch, build, catalog), seed)
    assert verdict.kind in ("broken", "crashed"), (seed, verdict)
    assert_spoils_nothing(verdict, catalog.level_of(catalog.bug(bug.id)), seed)


def among_others(bug: Bug, patch: Path, build: Build, catalog: Catalog) -> Path:
    """The level with all its bugs and the fix; without those whose lines the fix itself rewrites."""
    bugs = catalog.level_of(catalog.bug(bug.id)).bugs
    try:
        return build(bugs, [patch])
    except BughuntError:
        neighbours = {other.id for other in bugs if set(other.files) & set(bug.files)} - {bug.id}
        return build([other for other in bugs if other.id not in neighbours], [patch])


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_there_are_enough_of_them_and_each_says_what_it_is(bug: Bug) -> None:
    patches = [patch for owner, patch in FIXES if owner is bug]
    assert sum(patch.name.startswith("accept-") for patch in patches) >= 2
    assert sum(patch.name.startswith("reject-") for patch in patches) >= 3
    for patch in patches:
        first = patch.read_text(encoding="utf-8").split("\n")[0]
        assert first and not first.startswith("---"), patch


@pytest.mark.few(2)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_five_runs_alike(bug: Bug, judge: Judge, build: Build, catalog: Catalog, new_seeds: NewSeeds) -> None:
    judge_alike(bug, judge, build, catalog, new_seeds(5), new_seeds(5))


@pytest.mark.soak
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_fifty_runs_alike(
    bug: Bug, judge: Judge, build: Build, catalog: Catalog, new_seeds: NewSeeds
) -> None:
    """A pass is measured twice, by inputs of its own each time, so that half as many make fifty."""
    judge_alike(bug, judge, build, catalog, new_seeds(25), new_seeds(50))


def judge_alike(
    bug: Bug, judge: Judge, build: Build, catalog: Catalog, passing: list[int], failing: list[int]
) -> None:
    """Other inputs every time, the same verdict every time: the clean tree and every fix in turn for the
    seeds `passing`, the bug and every near miss in turn for `failing`. Where to begin is drawn, too."""
    patches = sorted((bug.folder / "fixes").glob("*.patch"))
    fixes = [patch for patch in patches if patch.name.startswith("accept-")]
    near_misses = [patch for patch in patches if patch.name.startswith("reject-")]
    for seed, fix in zip(passing, in_turn(fixes, passing[0]), strict=False):
        tree = build([bug], [fix]) if fix else build([])
        verdict = judge.judge(bug, tree, seed)
        assert verdict.kind == "fixed", (seed, fix, verdict)
    for seed, near_miss in zip(failing, in_turn(near_misses, failing[0]), strict=False):
        verdict = judge.judge(bug, build([bug], [near_miss] if near_miss else []), seed)
        assert verdict.kind != "fixed", (seed, near_miss, verdict)
        assert_spoils_nothing(verdict, catalog.level_of(catalog.bug(bug.id)), seed)


def in_turn(patches: list[Path], start: int) -> Iterator[Path | None]:
    """No patch at all, and then each of them over and over, from a place in the row on."""
    yield None
    row = [*patches, None]
    start %= len(row)
    yield from itertools.cycle(row[start:] + row[:start])
