"""How far two measurements of the same thing lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

Numbers = float | Sequence["Numbers"]


def largest_gap(one: Numbers, other: Numbers) -> float:
    """The largest difference between two nested lists of numbers of the same shape; infinite if one is NaN.

    Raises ValueError when the shapes differ.
    """
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        gap = abs(one - other)
        return math.inf if math.isnan(gap) else gap
    if isinstance(one, (int, float)) or isinstance(other, (int, float)):
        raise ValueError("a number and a list have no gap")
    return max((largest_gap(*both) for both in zip(one, other, strict=True)), default=0.0)
