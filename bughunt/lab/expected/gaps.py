"""Where two measurements that should be the same lie apart."""

from __future__ import annotations

from collections.abc import Sequence

from bughunt.lab.measuring.gaps import Numbers, largest_gap


def gaps_by_position(one: Sequence[Sequence[Numbers]], other: Sequence[Sequence[Numbers]]) -> list[float]:
    """The largest difference at each position of lists (rows, positions, ...), as far as the first goes."""
    return [largest_gap([row[t] for row in one], [row[t] for row in other]) for t in range(len(one[0]))]
