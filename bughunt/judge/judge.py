"""From a workspace to verdicts."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from bughunt.catalog import Bug
from bughunt.judge.cell import load_module
from bughunt.judge.checker import run_check
from bughunt.judge.measurer import Measurer, Mode
from bughunt.judge.outcomes import Failure, Limits, Measurement, Outcome, Verdict, VerdictKind


class Judge:
    """Measures and checks. `clean_tree` is the control: a judge in doubt about itself looks there."""

    def __init__(self, clean_tree: Path, *, mode: Mode | None = None, limits: Limits | None = None) -> None:
        self._clean_tree = clean_tree
        self._limits = limits or Limits()
        self._measurer = Measurer(mode)

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._measurer.close()

    def warm_up(self) -> None:
        """Lets the measuring server start while the caller does something else."""
        self._measurer.warm_up()

    def measure(self, bug: Bug, workspace: Path, seed: int) -> tuple[Any, Outcome]:
        """The inputs drawn for `bug` by `seed`, and what the code in `workspace` did with them."""
        inputs = draw_inputs(bug, seed)
        outcome = self._measurer.measure(bug.measure, workspace, inputs, bug.card.preload, self._limits)
        return inputs, outcome

    def judge(self, bug: Bug, workspace: Path, seed: int) -> Verdict:
        """The verdict on `bug` in `workspace`, with inputs drawn by `seed`."""
        started = time.monotonic()
        inputs, outcome = self.measure(bug, workspace, seed)
        kind, message, detail = _conclude(bug, inputs, outcome)
        if kind == "unknown":
            kind, message, detail = self._control(bug, inputs, outcome)
        return Verdict(bug.id, kind, message, detail, time.monotonic() - started)

    def _control(self, bug: Bug, inputs: Any, outcome: Outcome) -> _Conclusion:
        """Whose fault is it that there is no answer? The same question to the clean tree tells."""
        control = self._measurer.measure(
            bug.measure, self._clean_tree, inputs, bug.card.preload, self._limits
        )
        kind, message, detail = _conclude(bug, inputs, control)
        if kind != "fixed":
            return "unknown", f"The judge could not do its work here: {message}", detail
        if isinstance(outcome, Measurement):
            return "crashed", "What the code returned is not of a kind that can be measured.", ""
        return "crashed", outcome.message, outcome.detail


_Conclusion = tuple[VerdictKind, str, str]


def _conclude(bug: Bug, inputs: Any, outcome: Outcome) -> _Conclusion:
    """`fixed` or `broken` with its message; `unknown` when the outcome allows neither."""
    if isinstance(outcome, Failure):
        return "unknown", outcome.message, outcome.detail
    result = run_check(bug.check, inputs, outcome.data)
    if result.kind == "passed":
        return "fixed", "", ""
    if result.kind == "failed":
        return "broken", result.message, ""
    return "unknown", "the check itself failed.", result.message


def draw_inputs(bug: Bug, seed: int) -> Any:
    """The inputs of one measurement: drawn by the bug's own `draw`, the same for the same seed."""
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        module = load_module(str(bug.measure), f"bughunt_draw_{bug.id.replace('.', '_')}")
    finally:
        sys.dont_write_bytecode = writes_bytecode
    return module.draw(Random(f"{bug.id}/{seed}"))
