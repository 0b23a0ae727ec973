"""A measurement that says something else than the clean tree's is no repair, whatever it leaves out.

Parts of a clean measurement are dropped, blanked, repeated, mixed up, scaled, made constant or replaced by
another part: node by node, and at all nodes alike at once. What may say something else all the same is
listed, with the reason, in `what_may_differ.py`; an entry that nothing needs is a fault.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
from changes import (
    Change,
    Difference,
    alike,
    changed,
    differences,
    of_all_alike,
    of_one_place,
    pattern,
    shown,
)
from proof import NewSeeds, every_bug
from what_may_differ import FREE, SAME, Free, is_beneath

from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.judge.checker import Check
from bughunt.loading import load_module
from bughunt.measure.outcomes import Measurement

BUGS = every_bug()
by_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.id)

# Changes of a bug's measurement, in every run and in the soak.
FEW, MANY = 50, 3000
# Inputs among which each place that may differ has its turn.
SEEDS = range(5, 13)


Ask = Callable[[Bug, int], "Question"]


class Question:
    """A clean measurement, and what a bug's check says of others on the same inputs.

    The check's tests are called one after the other, without pytest and on the very same lists.
    """

    def __init__(self, bug: Bug, judge: Judge, seed: int) -> None:
        self.bug, self.seed = bug, seed
        self.clean = judge.clean(bug, seed)
        self.inputs, outcome = judge.measure(bug, tree_folder(), seed)
        assert isinstance(outcome, Measurement), outcome
        self.measured = outcome.data
        self._tests = list(asked_by(bug))

    def passes(self, measured: Any) -> bool:
        given = {"inputs": self.inputs, "measured": measured, "clean": self.clean}
        try:
            for test, names in self._tests:
                test(**{name: given[name] for name in names})
        except Exception:
            return False
        return True

    def unnoticed(self, change: Change) -> list[Difference]:
        """Where a changed measurement that passes says something else."""
        with changed(self.measured, change) as measured:
            if not self.passes(measured):
                return []
            # The places are those of the clean measurement, so it is put back before they are compared.
            measured = copy.deepcopy(measured)
        found = differences(self.measured, measured)
        return [one for one in found if not self._are_the_same(*one[1:])]

    def _are_the_same(self, before: Any, after: Any) -> bool:
        both = type(before) is type(after) is float
        return both and abs(before - after) <= SAME.get(self.bug.id, 0.0)


@pytest.fixture(scope="module")
def ask(judge: Judge) -> Ask:
    """Each question is asked once."""
    return cache(lambda bug, seed: Question(bug, judge, seed))


def asked_by(bug: Bug) -> Iterator[tuple[Callable[..., None], list[str]]]:
    module = load_module(str(bug.check), f"check_{bug.id.replace('.', '_')}")
    for name, test in vars(module).items():
        if name.startswith("test") and inspect.isfunction(test):
            yield test, list(inspect.signature(test).parameters)


def changes_of(question: Question, rng: Random, count: int) -> list[Change]:
    """So many, drawn from all: one half of single places, every pattern of places as often as any other, and
    one of all places alike at once."""
    groups = list(alike(question.measured).values())
    single = [
        rng.choice(list(of_one_place(question.measured, rng.choice(rng.choice(groups)), rng)))
        for _ in range(count // 2)
    ]
    together = list(of_all_alike(question.measured, rng))
    return single + rng.sample(together, min(count - len(single), len(together)))


def assert_noticed(question: Question, changes: list[Change]) -> None:
    before = copy.deepcopy(question.measured)
    assert question.passes(question.measured)
    free = FREE[question.bug.id]
    for change in changes:
        odd = [one for one in question.unnoticed(change) if not any(entry.covers(*one) for entry in free)]
        assert not odd, (question.bug.id, question.seed, str(change), shown(odd[0][0]), odd[0][1:])
    assert not list(differences(before, question.measured)), "a change is left, or a check changes its data"


@pytest.mark.few(6)
@by_bug
def test_nothing_else_is_a_repair(bug: Bug, judge: Judge, new_seeds: NewSeeds) -> None:
    seed, draw = new_seeds(2)
    question = Question(bug, judge, seed)
    assert_noticed(question, changes_of(question, Random(draw), FEW))


@pytest.mark.soak
@by_bug
def test_nothing_else_is_a_repair_many_times_over(bug: Bug, judge: Judge, new_seeds: NewSeeds) -> None:
    seed, draw = new_seeds(2)
    question = Question(bug, judge, seed)
    changes = changes_of(question, Random(draw), MANY)
    assert_noticed(question, changes)


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("bug", "entry", "where"),
    [
        pytest.param(bug, entry, where, id=f"{bug.id}-{where}")
        for bug in BUGS
        for entry in FREE[bug.id]
        for where in entry.where
    ],
)
def test_what_may_differ_is_needed(bug: Bug, entry: Free, where: str, ask: Ask) -> None:
    """For every place that is listed there is a change that nothing says a word about."""
    others = [other for other in FREE[bug.id] if other is not entry]
    rest = replace(entry, where=tuple(other for other in entry.where if other != where))
    for seed in SEEDS:
        question = ask(bug, seed)
        for change in changes_at(question, where, Random(seed)):
            for one in question.unnoticed(change):
                if entry.covers(*one) and not any(other.covers(*one) for other in (*others, rest)):
                    return
    raise AssertionError(f"{where} need not be listed")


def changes_at(question: Question, where: str, rng: Random) -> Iterator[Change]:
    """Changes of the places that are listed and of their parts, a few of each pattern, and of all alike."""
    patterns = set()
    for name, group in alike(question.measured).items():
        listed = [place for place in group if is_beneath(place, where)]
        patterns |= {name} if listed else set()
        for place in rng.sample(listed, min(4, len(listed))):
            yield from of_one_place(question.measured, place, rng)
        for depth in range(len(name) if listed else 0):
            yield from of_one_place(question.measured, rng.choice(listed)[:depth], rng)
    for change in of_all_alike(question.measured, rng):
        if patterns & {pattern(place) for place in change.places}:
            yield change


@by_bug
def test_the_short_cut_says_what_the_check_says(bug: Bug, ask: Ask) -> None:
    question, rng, check = ask(bug, SEEDS[0]), Random(6), Check(bug.check)
    for change in [None, *changes_of(question, rng, 6)]:
        with changed(question.measured, change) if change else nullcontext(question.measured) as measured:
            passes = question.passes(measured)
            result = check.run(question.inputs, measured, question.clean)
        assert passes == (result.kind == "passed"), (str(change), result)
