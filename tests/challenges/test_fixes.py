"""Other correct fixes pass and near misses fail: with the bug alone, and within its whole level.

What a near miss is told gives nothing away, either.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from proof import Build, every_bug
from spoilers import assert_spoils_nothing

from bughunt.content.catalog import Bug, Catalog
from bughunt.errors import BughuntError
from bughunt.hunt.judging import new_seed
from bughunt.judge import Judge

BUGS = every_bug()
FIXES = [(bug, patch) for bug in BUGS for patch in sorted((bug.folder / "fixes").glob("*.patch"))]
SEEDS = (1, 2)


@pytest.mark.parametrize(("bug", "patch"), FIXES, ids=[f"{bug.id}-{patch.stem}" for bug, patch in FIXES])
def test_fix(bug: Bug, patch: Path, judge: Judge, build: Build, catalog: Catalog) -> None:
    """Correct fixes alone and among the level's other bugs; near misses among them (alone: see below)."""
    tree = among_others(bug, patch, build, catalog)
    if patch.name.startswith("accept-"):
        for repaired, seed in ((tree, SEEDS[0]), (build([bug], [patch]), SEEDS[1])):
            verdict = judge.judge(bug, repaired, seed)
            assert verdict.kind == "fixed", verdict
    else:
        seed = new_seed()
        verdict = judge.judge(bug, tree, seed)
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


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_fifty_runs_alike(bug: Bug, judge: Judge, build: Build, catalog: Catalog) -> None:
    """Other inputs every time, the same verdict every time: clean, broken, and every fix in turn."""
    fixes = sorted((bug.folder / "fixes").glob("*.patch"))
    trees = {
        "fixed": [build([]), *(build([bug], [patch]) for patch in fixes if patch.name.startswith("accept-"))],
        "broken": [
            build([bug]),
            *(build([bug], [patch]) for patch in fixes if patch.name.startswith("reject-")),
        ],
    }
    for expected, candidates in trees.items():
        # A pass is measured twice, by inputs of its own each time, so that half as many make fifty.
        for seed in range(25 if expected == "fixed" else 50):
            tree = candidates[seed % len(candidates)]
            verdict = judge.judge(bug, tree, seed)
            assert (verdict.kind == "fixed") == (expected == "fixed"), (seed, tree, verdict)
            if expected == "broken":
                assert_spoils_nothing(verdict, catalog.level_of(catalog.bug(bug.id)), seed)
