"""The control: what the clean tree does with the inputs that a workspace is asked about."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from bughunt.content.level import Bug
from bughunt.measure.outcomes import Failure, Flag, Outcome

# Enough for a verdict and its second look, for every bug of a game; answers can be large.
_KEPT = 32

Question = tuple[Bug, int | str]


class ControlUnusable(Exception):
    """The clean tree could not be measured, so there is nothing to compare with."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Control:
    """Measures the clean tree by `observe`, each bug's inputs of a seed once; the last answers are kept.

    Whoever has a workspace measured with the same inputs asks here first: no code of that workspace knows
    the inputs while the clean tree is at work on them.
    """

    def __init__(self, observe: Callable[[Bug, Any, Flag | None], Outcome]) -> None:
        self._observe = observe
        self._kept: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def answer(self, bug: Bug, seed: int | str, inputs: Any, stop: Flag | None = None) -> Any:
        """The data that was measured on `inputs`, which are those of `seed`. Raises ControlUnusable."""
        question = str(bug.folder), str(seed)
        if question not in self._kept:
            outcome = self._observe(bug, inputs, stop)
            if isinstance(outcome, Failure):
                raise ControlUnusable(outcome)
            self._kept[question] = outcome.data
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[question]
