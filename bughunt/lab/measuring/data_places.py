"""Where batches stand in a stream of known tokens.

Batches may share the one token between them, the last target of the one and the first input of the next, or
not: both read the stream in order and lose nothing. So places are looked for, not numbers compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def tokens_of(
    groups: Sequence[Sequence[str]], ids: dict[str, int], bos: int, rank: int = 0, world_size: int = 1
) -> list[int]:
    """The tokens that one rank reads in one epoch: every `world_size`-th group, a bos before each text."""
    documents = [document for group in groups[rank::world_size] for document in group]
    return [token for document in documents for token in (bos, *(ids[word] for word in document.split()))]


def in_order(batches: Sequence[Any], tokens: Sequence[int]) -> dict[str, Any]:
    """How `batches`, tensors of inputs (B, T), follow one another in the stream `tokens`.

    `follows`: for each, whether it begins where the one before ended, or one token later; one that does not
    is given in full, and those after it are not looked for. `evenly`: whether that is the same for all.
    """
    follows: list[Any] = []
    starts: list[int] = []
    end = 0
    for batch in batches:
        row = batch.flatten().tolist()
        candidates = (end, end + 1) if starts else (0,)
        start = next((one for one in candidates if row == list(tokens[one : one + len(row)])), None)
        if start is None:
            follows.append(row)
            break
        starts.append(start - end)
        end = start + len(row)
        follows.append(True)
    return {"follows": follows, "evenly": len(set(starts[1:])) <= 1}


def place_of(row: Sequence[int], tokens: Sequence[int]) -> int | None:
    """Where the tokens of `row` stand in the stream for the first time; None if nowhere."""
    size = len(row)
    starts = range(len(tokens) - size + 1)
    return next((start for start in starts if list(tokens[start : start + size]) == list(row)), None)
