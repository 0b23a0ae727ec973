"""What is still held for backward passes after the results that needed it are gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bughunt.lab.measuring.graphs import held_for_backward


def held_after_each(model: Any, results: Iterable[Any]) -> list[int]:
    """How many numbers graphs still hold whenever one more result of a model was computed and let go.

    Nothing but the model and its caches may keep the results: they come from a generator that is asked for
    one after the other.
    """
    counts = []
    with held_for_backward(model) as held:
        for result in results:
            del result
            counts.append(held.now)
    return counts
