"""Batches of the tree's loader over a stream of known tokens."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from random import Random
from typing import Any

from bughunt.lab.measuring.tokenizers import WordTokenizer


def draw_shapes(rng: Random) -> list[tuple[int, int]]:
    """Rows and length of batches: several rows, one row, rows of one token, and one token alone."""
    return [
        (rng.randint(2, 4), rng.randint(3, 6)),
        (1, rng.randint(4, 9)),
        (rng.randint(2, 5), 1),
        (1, 1),
    ]


def load(
    stream: dict[str, Any],
    B: int,
    T: int,
    split: str = "train",
    *,
    count: int | None = None,
    documents: Iterable[Any] | None = None,
    **options: Any,
) -> list[tuple[Any, Any]]:
    """The first `count` batches (None: all) of a stream of `streams.draw_stream`, read by one rank of one.

    `documents` in place of the stream's own groups; `options` are the loader's.
    """
    from nanochat.dataloader import tokenizing_distributed_data_loader

    batches = tokenizing_distributed_data_loader(
        B,
        T,
        split,
        documents=stream["documents"] if documents is None else documents,
        tokenizer=WordTokenizer(stream["ids"], stream["bos"]),
        **{"rank": 0, "world_size": 1, **options},
    )
    return list(islice(batches, count))
