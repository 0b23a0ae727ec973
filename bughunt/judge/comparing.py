"""Comparing what two trees did with the same inputs: equal structure, and numbers within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Difference:
    """The data at `place` is `found`, where the clean code has `clean`; both as text.

    `tolerances` is how many tolerances apart two numbers are; infinite for anything else.
    """

    place: tuple[str, ...]
    found: str
    clean: str
    tolerances: float = math.inf

    def __str__(self) -> str:
        keys = (key if key.isprintable() else repr(key) for key in self.place)
        where = f"{' › '.join(keys)}: " if self.place else ""
        return f"{where}{self.found}, where the clean code has {self.clean}"


def first_difference(clean: Any, found: Any, tolerance: float) -> Difference | None:
    """The first place where the data differs by more than `tolerance`, or None.

    Two numbers may be apart by `tolerance` times the larger of 1 and the clean one's size; whole numbers by
    nothing. Not-a-number equals itself.
    """
    far = (one for one in differences(clean, found, tolerance) if one.tolerances > 1)
    return next(far, None)


def largest_difference(clean: Any, found: Any, tolerance: float) -> float:
    """How many tolerances the data is apart where it is furthest."""
    return max((one.tolerances for one in differences(clean, found, tolerance)), default=0.0)


def differences(
    clean: Any, found: Any, tolerance: float, place: tuple[str, ...] = ()
) -> Iterator[Difference]:
    """All places where the data is not the same, in the order of the clean data."""
    if isinstance(clean, dict) and isinstance(found, dict):
        for key in clean:
            if key not in found:
                yield Difference((*place, key), "nothing", _shown(clean[key]))
            else:
                yield from differences(clean[key], found[key], tolerance, (*place, key))
        for key in islice((key for key in found if key not in clean), 1):
            yield Difference((*place, str(key)), _shown(found[key]), "nothing")
    elif isinstance(clean, list) and isinstance(found, list):
        for index, (one, other) in enumerate(zip(clean, found, strict=False)):
            yield from differences(one, other, tolerance, (*place, str(index)))
        if len(clean) != len(found):
            yield Difference(place, f"{len(found)} of them", f"{len(clean)}")
    elif _are_numbers(clean, found):
        if (tolerances := _tolerances_between(clean, found, tolerance)) > 0:
            yield Difference(place, _shown(found), _shown(clean), tolerances)
    elif type(clean) is not type(found) or clean != found:
        yield Difference(place, _shown(found), _shown(clean))


def _are_numbers(*values: Any) -> bool:
    return all(type(value) in (int, float) for value in values)


def _tolerances_between(clean: float, found: float, tolerance: float) -> float:
    if clean == found or (math.isnan(clean) and math.isnan(found)):
        return 0.0
    if type(clean) is int and type(found) is int:
        return math.inf
    if not (math.isfinite(clean) and math.isfinite(found)) or tolerance <= 0:
        return math.inf
    return abs(clean - found) / (tolerance * max(1.0, abs(clean)))


def _shown(value: Any) -> str:
    if value is None or value == [] or value == {}:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict | list):
        return f"{len(value)} values"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
