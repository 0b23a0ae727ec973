"""How many elements of lists are moved by taking from their fronts: work that the clock need not tell."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def elements_moved(function: Callable[[], object]) -> int:
    """How many elements moved up by one place, in all `pop` calls on lists while `function` runs.

    What is taken from the end of a list moves nothing.
    """
    moved = 0
    before: tuple[list[Any], Any] | None = None  # the list that is popped from, and its first element

    def note(_: FrameType, event: str, called: Any) -> None:
        nonlocal moved, before
        if event == "c_call":
            own = getattr(called, "__self__", None)
            before = (own, own[0]) if isinstance(own, list) and own and called.__name__ == "pop" else None
        elif event == "c_return" and before is not None:
            own, first = before
            if own and own[0] is not first:
                moved += len(own)
            before = None

    profiler = sys.getprofile()
    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(profiler)
    return moved
