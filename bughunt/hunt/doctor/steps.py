"""Counting the steps of an examination, and how long it will still take by those that are done."""

from __future__ import annotations

import time
from collections.abc import Callable

from bughunt.hunt.doctor.finding import Step


class Steps:
    """`of` steps, all of a kind but for the quick ones at the beginning."""

    def __init__(self, of: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._of = of
        self._clock = clock
        self._number = 0
        self._begun: float | None = None
        self._took: list[float] = []

    def next(self, what: str, *, quick: bool = False) -> Step:
        """The step that begins now; the one before it has ended."""
        now = self._clock()
        if self._begun is not None:
            self._took.append(now - self._begun)
        self._begun = None if quick else now
        self._number += 1
        return Step(self._number, self._of, what, self._seconds_left())

    def skip(self) -> None:
        """Leaves one step out."""
        self._number += 1

    def _seconds_left(self) -> float | None:
        # The first two load what the others find loaded.
        typical = self._took[2:]
        if not typical:
            return None
        return (self._of - self._number + 1) * sum(typical) / len(typical)
