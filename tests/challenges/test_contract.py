"""The contract's promises: right code keeps it, each bug breaks what is on record, wrong repairs are refused.

`bughunt dev breaks` measures the same, and writes the record.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from proof import Build, Look, NewSeeds, every_bug

from bughunt.content.breaks import read_breaks
from bughunt.content.catalog import Catalog
from bughunt.content.clauses import Clause, load_clauses
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.measure.outcomes import Measurement

CLAUSES = load_clauses()
BREAKS = read_breaks()
BUGS = every_bug()
PARTS = {
    *("tokenizer", "data", "model", "optimizers", "training"),
    *("fine-tuning", "engine", "chat", "checkpoints", "evaluation"),
}


def fixes(kind: str) -> pytest.MarkDecorator:
    found = [(bug, patch) for bug in BUGS for patch in sorted((bug.folder / "fixes").glob(f"{kind}-*.patch"))]
    return pytest.mark.parametrize(("bug", "patch"), found, ids=[f"{bug.id}-{p.stem}" for bug, p in found])


def broken(judge: Judge, tree: Path, seed: int, clauses: tuple[Clause, ...] = CLAUSES) -> dict[str, str]:
    """What `tree` breaks, and how."""
    judge.contract.ask_clean(clauses, seed)
    outcomes = judge.contract.measured(clauses, tree, seed)
    assert set(outcomes) == set(clauses)
    says = {clause.slug: judge.contract.says(clause, outcome, seed) for clause, outcome in outcomes.items()}
    return {slug: message for slug, message in says.items() if message}


def test_there_are_enough_of_them_over_all_parts() -> None:
    assert len(CLAUSES) >= 40
    assert {clause.card.part for clause in CLAUSES} == PARTS
    assert len({clause.card.title for clause in CLAUSES}) == len(CLAUSES)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.slug)
def test_a_card_gives_nothing_away(clause: Clause) -> None:
    """No name of the tree's own, but of commands: a title and a symptom say what a user sees."""
    text = re.sub(r"`python -m scripts\.\w+`", "", f"{clause.card.title} {clause.card.symptom}")
    assert not re.search(r"`|\w+\(|\w_\w|\.py\b", text), text
    assert clause.card.symptom.endswith(".") and not clause.card.title.endswith(".")


def test_the_clean_tree_keeps_all(judge: Judge, new_seeds: NewSeeds) -> None:
    (seed,) = new_seeds(1)
    assert broken(judge, tree_folder(), seed) == {}, seed


@pytest.mark.few(3)
@fixes("accept")
def test_a_right_repair_keeps_all(
    bug: Bug, patch: Path, judge: Judge, build: Build, new_seeds: NewSeeds
) -> None:
    (seed,) = new_seeds(1)
    assert broken(judge, build([bug], [patch]), seed) == {}, seed


@pytest.mark.few(3)
@fixes("breaks")
def test_a_repair_that_breaks_something_else_is_refused(
    bug: Bug, patch: Path, look: Look, judge: Judge, build: Build, new_seeds: NewSeeds
) -> None:
    """Its bug is gone, says the check."""
    (seed,) = new_seeds(1)
    tree = build([bug], [patch])
    assert look(bug, tree, seed) == "fixed", seed
    found = broken(judge, tree, seed)
    on_record = BREAKS.patches[f"{bug.folder.parent.name}/{bug.folder.name}/{patch.stem}"]
    assert found and set(on_record) <= set(found), (seed, found)


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_bug_breaks_what_is_on_record(bug: Bug, judge: Judge, build: Build, new_seeds: NewSeeds) -> None:
    (seed,) = new_seeds(1)
    found = broken(judge, build([bug], []), seed)
    assert found and set(found) <= set(BREAKS.bugs[bug.id]), (seed, found)


@pytest.mark.few(1)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_level_breaks_what_its_bugs_break(
    number: int, catalog: Catalog, judge: Judge, build: Build, new_seeds: NewSeeds
) -> None:
    (seed,) = new_seeds(1)
    level = catalog.level(str(number))
    known = {slug for bug in level.bugs for slug in BREAKS.bugs[bug.id]}
    assert set(broken(judge, build(level.bugs, []), seed)) <= known, seed


@pytest.mark.soak
@pytest.mark.parametrize("number", range(50))
def test_the_clean_tree_keeps_all_on_many_seeds(number: int, judge: Judge, new_seeds: NewSeeds) -> None:
    seed = new_seeds(50)[number]
    assert broken(judge, tree_folder(), seed) == {}, seed


@pytest.mark.soak
@pytest.mark.parametrize("number", range(1, 5))
@fixes("accept")
def test_a_right_repair_keeps_all_on_other_seeds(
    number: int, bug: Bug, patch: Path, judge: Judge, build: Build, new_seeds: NewSeeds
) -> None:
    seed = new_seeds(5)[number]
    assert broken(judge, build([bug], [patch]), seed) == {}, seed


@pytest.mark.soak
@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)
def test_a_bug_breaks_what_is_on_record_on_many_seeds(
    number: int, bug: Bug, judge: Judge, build: Build, new_seeds: NewSeeds
) -> None:
    seed = new_seeds(10)[number]
    found = broken(judge, build([bug], []), seed)
    assert found and set(found) <= set(BREAKS.bugs[bug.id]), (seed, found)


def test_the_order_of_clauses_is_of_no_account(judge: Judge, new_seeds: NewSeeds) -> None:
    """They are measured in one process; none leaves anything behind that another one sees."""
    (seed,) = new_seeds(1)
    judge.contract.ask_clean(CLAUSES, seed)
    shuffled = random.Random(seed).sample(CLAUSES, len(CLAUSES))
    outcomes = judge.contract.measured(shuffled, tree_folder(), seed)
    assert all(isinstance(outcome, Measurement) for outcome in outcomes.values())
    says = {clause.slug: judge.contract.says(clause, outcomes[clause], seed) for clause in CLAUSES}
    assert {slug: message for slug, message in says.items() if message} == {}, seed
