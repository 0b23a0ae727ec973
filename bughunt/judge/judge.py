"""From a workspace to verdicts.

What is guaranteed, whatever the code in the workspace does: a verdict `fixed` means that the check, loaded
before that code ran, in a process where it never ran, accepted the data that came back. The code cannot
reach the check's assertions or the numbers they expect: these are computed after it has ended, or measured on
the clean tree before it began. It is given a limited time. All it can do is return the right numbers for
inputs that nobody could foresee.

What is not: it sees its inputs, so it can compute answers without being a fix. What else it can do depends on
what the system has to hold it: see docs/judge.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from bughunt.confine.kernel import forbid_tracing
from bughunt.content.clauses import Clause
from bughunt.content.installed import own_folders
from bughunt.content.level import Bug
from bughunt.disk.places import temporary_folder
from bughunt.judge.bug_files import OWN_FILES, BugFiles, FilesUnusable, unusable
from bughunt.judge.cause import REMARK
from bughunt.judge.contract import Contract
from bughunt.judge.control import Control, ControlUnusable
from bughunt.judge.masks import Masks
from bughunt.judge.verdict import BORROWED, Verdict, VerdictKind
from bughunt.measure.measurer import Measurer
from bughunt.measure.outcomes import EitherFlag, Failure, Flag, Limits, Measurement, Outcome
from bughunt.measure.texts import tidy

_MESSAGE_CHARACTERS = 1000
_Conclusion = tuple[VerdictKind, str, str]


@dataclass(frozen=True)
class _Question:
    """Inputs for the code of a bug; with them what the clean tree does, if the bug's check wants to know."""

    bug: Bug
    inputs: Any
    clean: Any = None


class Judge:
    """Has measured, and checks. `clean_tree` is the control: a judge in doubt about itself looks there, and a
    check that takes the fixture `clean` is given what was measured there, on the same inputs.

    With a `measurer` of two workers it has two things measured at once where it will want both, most
    likely: a verdict comes sooner, for more work where the first measurement tells enough. The measurer is
    closed with the judge. `is_guarded`: no other process of the same user can reach into this one, which
    decides.
    """

    def __init__(
        self, clean_tree: Path, measurer: Measurer | None = None, *, limits: Limits | None = None
    ) -> None:
        self.is_guarded = forbid_tracing()
        self._clean_tree = clean_tree
        self._limits = limits or Limits()
        self._measurer = measurer or Measurer(hidden=own_folders())
        self._masks = Masks()
        self._files: dict[Path, BugFiles | FilesUnusable] = {}
        self._control = Control(self._observe_clean)
        self.contract = Contract(clean_tree, self._measurer, self._masks, self._limits)

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self._measurer.close()

    def prepare(
        self, bugs: Iterable[Bug], workspace: Path | None = None, clauses: Sequence[Clause] = ()
    ) -> None:
        """Reads all that verdicts on these need, and runs each check, while the measuring server starts.

        In a sandbox that is the server for `workspace`. No code of a workspace has run yet when this is
        called before the first verdict: none of what it may write to the game's files, or to those of
        Python's packages, has a say in any of these verdicts.
        """
        bugs = list(bugs)
        self._measurer.warm_up(_preload(*bugs, *clauses), workspace)
        for bug in bugs:
            self._prepare(bug)
        self.contract.prepare(clauses)

    def prepare_control(self, bugs: Iterable[Bug], clauses: Sequence[Clause] = ()) -> None:
        """Starts the server that measures the clean tree, if verdicts on them will ask for that."""
        asking = [bug for bug in bugs if self._asks_the_clean_tree(bug)]
        if asking or clauses:
            self._measurer.warm_up(_preload(*asking, *clauses), self._clean_tree, apart=True)

    def measure(
        self, bug: Bug, workspace: Path, seed: int, *, stop: Flag | None = None
    ) -> tuple[Any, Outcome]:
        """The inputs drawn for `bug` by `seed`, and what the code in `workspace` did with them.

        Raises Stopped when another thread sets `stop` meanwhile; so does `judge`.
        """
        try:
            inputs = self._draw(bug, seed)
        except FilesUnusable as error:
            return None, Failure(OWN_FILES, self._masks.text(str(error), workspace), ours=True)
        return inputs, self._observe(bug, workspace, inputs, stop)

    def clean(self, bug: Bug, seed: int) -> Any:
        """What the clean tree does with the inputs drawn by `seed`; None for a check that does not ask.

        To be asked before any code of a workspace is given these inputs.
        """
        return self._ask(bug, (seed,))[0].clean

    def ask_ahead(self, bug: Bug, seed: int, *, stop: Flag | None = None) -> None:
        """Has the clean tree measured now, if it will be for a verdict by `seed`. A failure shows there."""
        with suppress(ControlUnusable):
            if self._asks_the_clean_tree(bug):
                self._ask(bug, _seeds(seed), stop)

    def judge(
        self,
        bug: Bug,
        workspace: Path,
        seed: int,
        *,
        first: bool = False,
        unforeseen: int | None = None,
        stop: Flag | None = None,
    ) -> Verdict:
        """The verdict on `bug` in `workspace`, with inputs drawn by `seed`.

        What passes is measured once more, on inputs drawn anew: a repair that fails there is none. Who knew
        `seed` knew those as well, so a pass is then also asked by a seed that is `unforeseen`. A repair that
        works from elsewhere than the defect is `fixed` as well, and the verdict says so; for the `first`
        pass of a bug the defect is even put back, in a copy, to see whether that matters.
        """
        started = time.monotonic()
        try:
            self._prepare(bug)
            question, again = self._ask(bug, _seeds(seed), stop)
            kind, message, detail = self._answer_twice(question, again, workspace, stop)
            if kind == "fixed" and unforeseen is not None:
                kind, message, detail = self._answer_unforeseen(bug, workspace, unforeseen, stop)
        except FilesUnusable as error:
            kind, message, detail = "unknown", OWN_FILES, str(error)
        except ControlUnusable as error:
            message = f"The judge could not do its work here: {error}"
            kind, detail = "unknown", error.failure.detail
        elsewhere = kind == "fixed" and self._works_from_elsewhere(question, workspace, first, stop)
        if elsewhere:
            message = REMARK
        detail = self._masks.text(detail, workspace)
        message = tidy(self._masks.text(message, workspace), _MESSAGE_CHARACTERS)
        return Verdict(bug.id, kind, message, detail, time.monotonic() - started, elsewhere)

    def _ask(self, bug: Bug, seeds: Sequence[int | str], stop: Flag | None = None) -> list[_Question]:
        """A question for each seed, before the workspace is asked any: its code is not at work meanwhile."""
        drawn = [self._draw(bug, seed) for seed in seeds]
        if not self._files_of(bug).check.wants_clean:
            return [_Question(bug, inputs) for inputs in drawn]

        def asked(seed: int | str, inputs: Any) -> _Question:
            return _Question(bug, inputs, self._control.answer(bug, seed, inputs, stop))

        with ThreadPoolExecutor(self._measurer.workers, "bughunt-control") as threads:
            return list(threads.map(asked, seeds, drawn))

    def _answer_twice(
        self, question: _Question, again: _Question, workspace: Path, stop: Flag | None
    ) -> _Conclusion:
        with self._measuring_ahead(again, workspace, stop) as outcome:
            first = self._observe(question.bug, workspace, question.inputs, stop)
            conclusion = self._conclude_surely(question, first, stop)
            if conclusion[0] == "fixed":
                conclusion = self._conclude_surely(again, outcome(), stop)
        return conclusion

    def _answer_unforeseen(self, bug: Bug, workspace: Path, seed: int, stop: Flag | None) -> _Conclusion:
        [question] = self._ask(bug, (seed,), stop)
        outcome = self._observe(bug, workspace, question.inputs, stop)
        kind, message, detail = self._conclude_surely(question, outcome, stop)
        if kind in ("broken", "crashed"):
            message = f"With the seed that was given it passes, with {seed} not. {message}"
        return kind, message, detail

    @contextmanager
    def _measuring_ahead(
        self, question: _Question, workspace: Path, stop: Flag | None
    ) -> Iterator[Callable[[], Outcome]]:
        """Gives a way to the outcome. With a worker free, measuring begins now and ends with the block."""
        asked = question.bug, workspace, question.inputs
        if self._measurer.workers == 1:
            yield lambda: self._observe(*asked, stop)
            return
        unwanted = Event()
        with ThreadPoolExecutor(1, "bughunt-ahead") as thread:
            outcome = thread.submit(self._observe, *asked, EitherFlag(unwanted, stop))
            try:
                yield outcome.result
            finally:
                unwanted.set()

    def _observe(self, bug: Bug, workspace: Path, inputs: Any, stop: Flag | None = None) -> Outcome:
        """What the code in `workspace` does with `inputs`, as far as a player may see it."""
        outcome = self._measurer.measure(bug.measure, workspace, inputs, bug.card.preload, self._limits, stop)
        return self._masks.outcome(outcome, workspace)

    def _observe_clean(self, bug: Bug, inputs: Any, stop: Flag | None) -> Outcome:
        """What of the clean tree's doing with `inputs` the bug's check wants to know: no process that runs
        code of a workspace descends from one that has seen it."""
        function, preload = self._files_of(bug).control, bug.card.preload
        outcome = self._measurer.measure(
            bug.measure, self._clean_tree, inputs, preload, self._limits, stop, function=function, apart=True
        )
        return self._masks.outcome(outcome, self._clean_tree)

    def _draw(self, bug: Bug, seed: int | str) -> Any:
        try:
            return self._files_of(bug).draw(seed)
        except FilesUnusable:
            raise
        except Exception as error:
            raise unusable(error) from error

    def _works_from_elsewhere(
        self, question: _Question, workspace: Path, first: bool, stop: Flag | None
    ) -> bool:
        def passes(copy: Path) -> bool:
            outcome = self._observe(question.bug, copy, question.inputs, stop)
            return self._conclude_surely(question, outcome, stop)[0] == "fixed"

        with temporary_folder() as scratch:
            defect = self._files_of(question.bug).defect
            return defect.is_worked_around(workspace, scratch, passes if first else None)

    def _prepare(self, bug: Bug) -> None:
        """What cannot be loaded now is not loaded later, either, when it may have become another."""
        if bug.folder not in self._files:
            try:
                self._files[bug.folder] = BugFiles(bug)
                self._measurer.take(bug.measure)
            except Exception as error:
                self._files[bug.folder] = unusable(error)

    def _files_of(self, bug: Bug) -> BugFiles:
        self._prepare(bug)
        files = self._files[bug.folder]
        if isinstance(files, FilesUnusable):
            raise files
        return files

    def _asks_the_clean_tree(self, bug: Bug) -> bool:
        try:
            return self._files_of(bug).check.wants_clean
        except FilesUnusable:
            return False

    def _conclude(self, question: _Question, outcome: Outcome) -> _Conclusion:
        """`fixed` or `broken` with its message; `unknown` when the outcome allows neither."""
        if outcome.borrowed:
            return "broken", BORROWED, ""
        if isinstance(outcome, Failure):
            return "unknown", outcome.message, outcome.detail
        check = self._files_of(question.bug).check
        result = check.run(question.inputs, outcome.data, question.clean)
        if result.kind == "passed":
            return "fixed", "", ""
        if result.kind == "failed":
            return "broken", result.message, ""
        return "unknown", "the check itself failed.", result.message

    def _conclude_surely(self, question: _Question, outcome: Outcome, stop: Flag | None) -> _Conclusion:
        """Where there is no answer, whose fault is it? The same question to the clean tree tells."""
        conclusion = self._conclude(question, outcome)
        if conclusion[0] != "unknown":
            return conclusion
        control = self._observe(question.bug, self._clean_tree, question.inputs, stop)
        kind, message, detail = self._conclude(question, control)
        if kind != "fixed":
            return "unknown", f"The judge could not do its work here: {message}", detail
        if isinstance(outcome, Measurement):
            return "crashed", "What the code returned is not of a kind that can be measured.", ""
        return "crashed", outcome.message, outcome.detail


def _preload(*measured: Bug | Clause) -> dict[str, None]:
    """The modules to import before any of these is measured."""
    return dict.fromkeys(name for one in measured for name in one.card.preload)


def _seeds(seed: int) -> tuple[int | str, int | str]:
    """Of the two measurements that a verdict `fixed` takes."""
    return seed, f"{seed}/again"
