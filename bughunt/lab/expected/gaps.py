"""Where two measurements that should be the same lie apart, and whether two of a kind are alike at all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from bughunt.lab.measuring.gaps import Numbers, largest_gap

# Of logits of the clean tree and of one whose rotary frequencies are wrong in some way, for texts of several
# tokens: the least correlation, and the factors between which their spread lies. Measured with near misses of
# the bug that is about these frequencies: 0.54 at least over 4 seeds; 0.88 to 1.16 over 5.
LEAST_LIKENESS = 0.25
SPREADS = 0.7, 1.45
# So few numbers say little about that: among the other bugs of their level, right repairs came down to a
# correlation of 0.24. What is the same everywhere is still found out: its correlation with anything is 0.
FEW = 200
SPREADS_OF_FEW = 0.4, 2.5


def gaps_by_position(one: Sequence[Sequence[Numbers]], other: Sequence[Sequence[Numbers]]) -> list[float]:
    """The largest difference at each position of lists (rows, positions, ...), as far as the first goes."""
    return [largest_gap([row[t] for row in one], [row[t] for row in other]) for t in range(len(one[0]))]


def likeness(one: Numbers, other: Numbers) -> float:
    """The correlation of two nested lists of numbers of the same shape: 1 for the same up to scale and shift.

    It is 0 where one of them is constant, and NaN where one holds a number that is none.
    """
    pairs = list(zip(_flat(one), _flat(other), strict=True))
    means = [math.fsum(values) / len(pairs) for values in zip(*pairs, strict=True)]
    left, right = ([pair[i] - means[i] for pair in pairs] for i in (0, 1))
    size = math.hypot(*left) * math.hypot(*right)
    return math.fsum(a * b for a, b in zip(left, right, strict=True)) / size if size != 0.0 else 0.0


def assert_of_a_kind(what: str, one: Numbers, other: Numbers) -> None:
    """Logits of the same text by two models of the same weights, which may be wrong in how they use them."""
    alike, spread = likeness(one, other), _spread(one) / _spread(other)
    few = sum(1 for _ in _flat(one)) < FEW
    least, most = SPREADS_OF_FEW if few else SPREADS
    enough = abs(alike) > 1e-6 if few else alike >= LEAST_LIKENESS
    assert enough and least <= spread <= most, (
        f"{what} have nothing to do with the text and the weights of the model: their correlation with what "
        f"they should be like is {alike:.2g}, and their spread is {spread:.2g} times as large."
    )


def _spread(numbers: Numbers) -> float:
    values = list(_flat(numbers))
    mean = math.fsum(values) / len(values)
    return math.hypot(*(value - mean for value in values))


def _flat(numbers: Numbers) -> Iterator[float]:
    if isinstance(numbers, (int, float)):
        yield float(numbers)
    else:
        for one in numbers:
            yield from _flat(one)
