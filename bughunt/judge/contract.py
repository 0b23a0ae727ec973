"""The contract, judged: do the clauses still hold in a workspace?

A clause has no check of its own. The clean tree and the workspace are given the same inputs, and what they
do with them is compared. The clean tree is asked first; what differs is asked again, in a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, TypeVar

from bughunt.content.clauses import Clause
from bughunt.judge.bug_files import FilesUnusable, load_measure, unusable
from bughunt.judge.comparing import first_difference
from bughunt.judge.control import ControlUnusable
from bughunt.judge.masks import Masks
from bughunt.judge.verdict import BORROWED
from bughunt.measure.measurer import Measurer, Part
from bughunt.measure.outcomes import Failure, Flag, Limits, Outcome
from bughunt.measure.texts import tidy

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")

_MESSAGE_CHARACTERS = 400

# Who has broken more than this has most likely broken one thing.
_ASKED_AGAIN = 6
# Of code that hangs wherever it is asked.
_HANGS_AWAITED = 2

# For each clause more that is measured in the same process; a tenth of it is what one takes.
_SECONDS_MORE = 0.5

_NOT_ALL_ASKED = "the code hangs where much is asked of it, or this machine is too busy for that."

# The answers of the clean tree are kept for the seeds asked last: that of a check, and that of the next.
_SEEDS_KEPT = 2


@dataclass(frozen=True)
class Regression:
    """A clause that held and holds no longer; `message` says where the data differs, and by what."""

    clause: str
    title: str
    message: str

    def __str__(self) -> str:
        return f"{self.title}; {self.message}"


@dataclass(frozen=True)
class Kept:
    """What became of the clauses that were `asked`. `others` differed as well, and were not asked again."""

    asked: tuple[str, ...] = ()
    regressions: tuple[Regression, ...] = ()
    others: int = 0


class Contract:
    """Asks clauses of workspaces; the clean tree's answers are kept for a while."""

    def __init__(self, clean_tree: Path, measurer: Measurer, masks: Masks, limits: Limits) -> None:
        self._clean_tree = clean_tree
        self._measurer = measurer
        self._masks = masks
        self._limits = limits
        self._files: dict[str, ModuleType | FilesUnusable] = {}
        self._clean: dict[int, dict[str, Any]] = {}

    def prepare(self, clauses: Iterable[Clause]) -> None:
        """Reads all that is needed of the clauses' files, before any code of a workspace runs."""
        for clause in clauses:
            if clause.slug not in self._files:
                try:
                    self._files[clause.slug] = load_measure(clause.measure, f"clause_{clause.slug}")
                    self._measurer.take(clause.measure)
                except Exception as error:
                    self._files[clause.slug] = unusable(error)

    def ask_clean(self, clauses: Sequence[Clause], seed: int, stop: Flag | None = None) -> None:
        """Has the clean tree measured where it is not yet.

        Raises ControlUnusable where that fails, FilesUnusable where a clause's files do, Stopped by `stop`.
        """
        known = self._answers(seed)
        unknown = [clause for clause in clauses if clause.slug not in known]
        if not unknown:
            return
        for clause, outcome in self.measured(unknown, self._clean_tree, seed, stop, apart=True).items():
            if isinstance(outcome, Failure):
                raise ControlUnusable(replace(outcome, message=f"{clause.slug}: {outcome.message}"))
            known[clause.slug] = outcome.data

    def kept(self, clauses: Sequence[Clause], workspace: Path, seed: int, stop: Flag | None = None) -> Kept:
        """Which of the clauses does the code in `workspace` keep? Raises as `ask_clean` does."""
        self.ask_clean(clauses, seed, stop)
        outcomes = self.measured(clauses, workspace, seed, stop)
        differing = [clause for clause, outcome in outcomes.items() if self.says(clause, outcome, seed)]

        def again(clause: Clause) -> Regression | None:
            outcome = self._alone(clause, workspace, seed, stop)
            message = self.says(clause, outcome, seed)
            return Regression(clause.slug, clause.card.title, message) if message else None

        found = self._at_once(again, differing[:_ASKED_AGAIN])
        regressions = tuple(one for one in found if one is not None)
        if len(outcomes) < len(clauses) and not regressions:
            # Else it would do to hang where several are asked, and only there.
            raise ControlUnusable(Failure(_NOT_ALL_ASKED, ours=True))
        others = len(differing) - len(found) if regressions else 0
        return Kept(tuple(clause.slug for clause in outcomes), regressions, others)

    def measured(
        self,
        clauses: Sequence[Clause],
        tree: Path,
        seed: int,
        stop: Flag | None = None,
        *,
        apart: bool = False,
    ) -> dict[Clause, Outcome]:
        """What the code in `tree` does with each clause's inputs, as many at a time as there are workers.

        Clauses are missing from it where the code hangs in one after the other.
        """
        inputs = {clause: self._draw(clause, seed) for clause in clauses}
        groups = [clauses[first :: self._measurer.workers] for first in range(self._measurer.workers)]

        def in_turn(group: Sequence[Clause]) -> dict[Clause, Outcome]:
            return self._in_turn({clause: inputs[clause] for clause in group}, tree, stop, apart)

        found = [one for group in self._at_once(in_turn, groups) for one in group.items()]
        outcomes = dict(found)
        return {clause: outcomes[clause] for clause in clauses if clause in outcomes}

    def says(self, clause: Clause, outcome: Outcome, seed: int) -> str:
        """How the outcome differs from what the clean tree does; empty where it does not."""
        if outcome.borrowed:
            return BORROWED
        if isinstance(outcome, Failure):
            return tidy(outcome.message, _MESSAGE_CHARACTERS)
        difference = first_difference(self._answers(seed)[clause.slug], outcome.data, clause.card.tolerance)
        return tidy(str(difference), _MESSAGE_CHARACTERS) if difference else ""

    def clean_answer(self, clause: Clause, seed: int) -> Any:
        """What the clean tree did, which was asked before."""
        return self._answers(seed)[clause.slug]

    def _answers(self, seed: int) -> dict[str, Any]:
        answers = self._clean.setdefault(seed, {})
        while len(self._clean) > _SEEDS_KEPT:
            self._clean.pop(next(iter(self._clean)))
        return answers

    def _in_turn(
        self, inputs: Mapping[Clause, Any], tree: Path, stop: Flag | None, apart: bool
    ) -> dict[Clause, Outcome]:
        """The clauses in one process; in another one those that are left after a crash or a hang."""
        found: dict[Clause, Outcome] = {}
        hangs = 0
        while (left := [clause for clause in inputs if clause not in found]) and hangs < _HANGS_AWAITED:
            outcomes = self._ask(left, inputs, tree, stop, apart) or self._ask(
                left[:1], inputs, tree, stop, apart
            )
            found.update(zip(left, outcomes, strict=False))
            last = outcomes[-1]
            hangs += isinstance(last, Failure) and last.seconds >= self._limits_for(len(left)).seconds
        return found

    def _ask(
        self,
        clauses: Sequence[Clause],
        inputs: Mapping[Clause, Any],
        tree: Path,
        stop: Flag | None,
        apart: bool,
    ) -> list[Outcome]:
        parts = [Part(clause.measure, inputs[clause]) for clause in clauses]
        limits = self._limits_for(len(parts))
        preload = dict.fromkeys(name for clause in clauses for name in clause.card.preload)
        outcomes = self._measurer.measure_parts(parts, tree, preload, limits, stop, apart=apart)
        for outcome in outcomes:
            if isinstance(outcome, Failure) and outcome.ours:
                raise ControlUnusable(outcome)
        return [self._masks.outcome(outcome, tree) for outcome in outcomes]

    def _limits_for(self, clauses: int) -> Limits:
        """On a busy machine many take longer than one may."""
        return replace(self._limits, seconds=self._limits.seconds + _SECONDS_MORE * (clauses - 1))

    def _alone(self, clause: Clause, workspace: Path, seed: int, stop: Flag | None) -> Outcome:
        """What the workspace does in a process of its own. Where that fails, the clean tree has to do it
        again: the machine may be in trouble."""
        inputs = {clause: self._draw(clause, seed)}
        outcome = self._in_turn(inputs, workspace, stop, apart=False)[clause]
        if isinstance(outcome, Failure):
            control = self._in_turn(inputs, self._clean_tree, stop, apart=True)[clause]
            if isinstance(control, Failure):
                raise ControlUnusable(control)
        return outcome

    def _at_once(self, function: Callable[[_Given], _Found], values: Sequence[_Given]) -> list[_Found]:
        with ThreadPoolExecutor(self._measurer.workers, "bughunt-contract") as threads:
            return list(threads.map(function, values))

    def _draw(self, clause: Clause, seed: int) -> Any:
        self.prepare([clause])
        files = self._files[clause.slug]
        if isinstance(files, FilesUnusable):
            raise files
        try:
            return files.draw(Random(f"{clause.slug}/{seed}"))
        except Exception as error:
            raise unusable(error) from error
