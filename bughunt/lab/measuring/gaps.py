"""How far two measurements of the same thing lie apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

Numbers = float | Sequence["Numbers"]


def largest_gap(one: Numbers, other: Numbers) -> float:
    """The largest difference between two nested lists of numbers of the same shape; infinite if one is NaN.

    Raises ValueError when the shapes differ, and TypeError for what is neither a number nor a list.
    """
    numbers = [type(number) in (int, float) for number in (one, other)]
    if all(numbers):
        gap = abs(cast(float, one) - cast(float, other))
        return math.inf if math.isnan(gap) else gap
    if any(numbers):
        raise ValueError("a number and a list have no gap")
    if not (isinstance(one, Sequence) and isinstance(other, Sequence)) or isinstance(one, str):
        raise TypeError("only numbers and lists of them have a gap")
    return max((largest_gap(*both) for both in zip(one, other, strict=True)), default=0.0)
