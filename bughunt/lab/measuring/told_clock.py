"""A clock that moves only when it is told to, in place of those of `time`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bughunt.lab.measuring.replacing import replaced


class ToldClock:
    """`seconds` is what all clocks show; whoever measures adds to it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def nanoseconds(self) -> int:
        """The same, as the clocks ending in `_ns` show it."""
        return round(self.seconds * 1e9)


@contextmanager
def told_clock() -> Iterator[ToldClock]:
    """In the block, `time`'s clocks that measure durations all show this one's seconds."""
    clock = ToldClock()
    clocks: dict[str, Any] = {}
    for name in ("monotonic", "perf_counter", "time"):
        # a function of its own for each: they are told apart when they are put back
        clocks |= {name: lambda: clock.seconds, f"{name}_ns": lambda: clock.nanoseconds()}
    with replaced(time, **clocks):
        yield clock
