"""From a workspace to verdicts.

What is guaranteed, whatever the code in the workspace does: a verdict `fixed` means that the check, loaded
before that code ran, in a process where it never ran, accepted the data that came back. The code cannot
reach the check's assertions or the numbers they expect (they are computed after it has ended), and it is
given a limited time. All it can do is return the right numbers for inputs that nobody could foresee.

What is not: it runs as the player, so it can do to the player's account what any program can, such as
writing to files outside its scratch folder (the installed game for the *next* run among them), drawing on
the terminal or ending the command. It sees its inputs, so it can compute answers without being a fix. Memory
is limited for each process, the number of processes on Linux and for others than root only.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event
from types import ModuleType, TracebackType
from typing import Any

from bughunt.catalog import Bug
from bughunt.judge.cause import REMARK, works_from_elsewhere
from bughunt.judge.cell import load_module
from bughunt.judge.checker import Check
from bughunt.judge.endings import tidy
from bughunt.judge.measurer import Measurer, Mode
from bughunt.judge.outcomes import Failure, Limits, Measurement, Outcome, Verdict, VerdictKind

_MESSAGE_CHARACTERS = 1000


class Judge:
    """Measures and checks. `clean_tree` is the control: a judge in doubt about itself looks there."""

    def __init__(
        self,
        clean_tree: Path,
        *,
        mode: Mode | None = None,
        limits: Limits | None = None,
        measurer: Measurer | None = None,
        sandbox: bool = False,
    ) -> None:
        self._clean_tree = clean_tree
        self._limits = limits or Limits()
        self._measurer = measurer or Measurer(mode, sandbox=sandbox)
        self._loaded: dict[Path, _Loaded] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._measurer.close()

    def prepare(self, bugs: Iterable[Bug]) -> None:
        """Loads the checks of `bugs` while the measuring server starts.

        No code of a workspace has run yet when this is called before the first verdict, so that none can
        have a say in any of these checks.
        """
        bugs = list(bugs)
        self._measurer.warm_up(dict.fromkeys(name for bug in bugs for name in bug.card.preload))
        for bug in bugs:
            self._load(bug)

    def measure(
        self, bug: Bug, workspace: Path, seed: int, *, stop: Event | None = None
    ) -> tuple[Any, Outcome]:
        """The inputs drawn for `bug` by `seed`, and what the code in `workspace` did with them.

        Raises Stopped when another thread sets `stop` meanwhile; so does `judge`.
        """
        inputs = self._load(bug).draw(bug, seed)
        return inputs, self.observe(bug, workspace, inputs, stop)

    def observe(self, bug: Bug, workspace: Path, inputs: Any, stop: Event | None = None) -> Outcome:
        """What the code in `workspace` does with inputs drawn elsewhere."""
        return self._measurer.measure(bug.measure, workspace, inputs, bug.card.preload, self._limits, stop)

    def judge(
        self, bug: Bug, workspace: Path, seed: int, *, first: bool = False, stop: Event | None = None
    ) -> Verdict:
        """The verdict on `bug` in `workspace`, with inputs drawn by `seed`.

        What passes is measured once more, on inputs drawn anew: a repair that fails there is none. One that
        works from elsewhere than the defect is `fixed` as well, and the verdict says so; for the `first`
        pass of a bug the defect is even put back, in a copy, to see whether that matters.
        """
        started = time.monotonic()
        try:
            kind, message, detail = self._answer(bug, workspace, seed, stop)
            if kind == "fixed":
                kind, message, detail = self._answer(bug, workspace, f"{seed}/again", stop)
        except _FilesUnusable as error:
            message = "The judge could not do its work here: its own files cannot be used."
            return Verdict(bug.id, "unknown", message, str(error))
        elsewhere = kind == "fixed" and self._works_from_elsewhere(bug, workspace, seed, first, stop)
        if elsewhere:
            message = REMARK
        detail = detail.replace(str(bug.folder), f"<{bug.id}>")
        message = tidy(message, _MESSAGE_CHARACTERS)
        return Verdict(bug.id, kind, message, detail, time.monotonic() - started, elsewhere)

    def _answer(self, bug: Bug, workspace: Path, seed: int | str, stop: Event | None) -> _Conclusion:
        try:
            inputs = self._load(bug).draw(bug, seed)
        except Exception as error:
            raise _FilesUnusable(f"{type(error).__name__}: {error}") from error
        outcome = self.observe(bug, workspace, inputs, stop)
        conclusion = self._conclude(bug, inputs, outcome)
        return self._control(bug, inputs, outcome, stop) if conclusion[0] == "unknown" else conclusion

    def _works_from_elsewhere(
        self, bug: Bug, workspace: Path, seed: int, first: bool, stop: Event | None
    ) -> bool:
        def passes(copy: Path) -> bool:
            return self._answer(bug, copy, seed, stop)[0] == "fixed"

        with tempfile.TemporaryDirectory(prefix="bughunt-", ignore_cleanup_errors=True) as scratch:
            return works_from_elsewhere(bug.patch, workspace, Path(scratch), passes if first else None)

    def _load(self, bug: Bug) -> _Loaded:
        if bug.folder not in self._loaded:
            self._loaded[bug.folder] = _Loaded(Check(bug.check), _load_measure(bug))
        return self._loaded[bug.folder]

    def _conclude(self, bug: Bug, inputs: Any, outcome: Outcome) -> _Conclusion:
        """`fixed` or `broken` with its message; `unknown` when the outcome allows neither."""
        if isinstance(outcome, Failure):
            return "unknown", outcome.message, outcome.detail
        result = self._load(bug).check.run(inputs, outcome.data)
        if result.kind == "passed":
            return "fixed", "", ""
        if result.kind == "failed":
            return "broken", result.message, ""
        return "unknown", "the check itself failed.", result.message

    def _control(self, bug: Bug, inputs: Any, outcome: Outcome, stop: Event | None) -> _Conclusion:
        """Whose fault is it that there is no answer? The same question to the clean tree tells."""
        control = self.observe(bug, self._clean_tree, inputs, stop)
        kind, message, detail = self._conclude(bug, inputs, control)
        if kind != "fixed":
            return "unknown", f"The judge could not do its work here: {message}", detail
        if isinstance(outcome, Measurement):
            return "crashed", "What the code returned is not of a kind that can be measured.", ""
        return "crashed", outcome.message, outcome.detail


class _FilesUnusable(Exception):
    """A check or a measurement cannot be loaded, or draws no inputs."""


_Conclusion = tuple[VerdictKind, str, str]


@dataclass(frozen=True)
class _Loaded:
    """What the judge's own process needs of a bug, loaded once."""

    check: Check
    measure: ModuleType

    def draw(self, bug: Bug, seed: int | str) -> Any:
        """The inputs of one measurement: drawn by the bug's own `draw`, the same for the same seed."""
        return self.measure.draw(Random(f"{bug.id}/{seed}"))


def _load_measure(bug: Bug) -> ModuleType:
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return load_module(str(bug.measure), f"bughunt_draw_{bug.id.replace('.', '_')}")
    finally:
        sys.dont_write_bytecode = writes_bytecode
