"""Streams of known tokens, and what the tree's loader makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import islice
from random import Random
from typing import Any

from bughunt.lab.measuring.devices import pretended_cuda
from bughunt.lab.measuring.tokenizers import WordTokenizer


def draw_stream(rng: Random, *, groups: int, largest_id: int) -> dict[str, Any]:
    """Documents in groups, and an id for every word; no word comes twice, so an id tells its place."""
    lengths = [[rng.randint(3, 9) for _ in range(rng.randint(1, 3))] for _ in range(groups)]
    total = sum(map(sum, lengths))
    numbers = rng.sample(range(1, largest_id), total)
    # Ids that need many bits are sure to be among them.
    numbers[rng.randrange(total)] = largest_id
    words = iter([f"w{index}" for index in range(total)])
    documents = [[" ".join(next(words) for _ in range(length)) for length in group] for group in lengths]
    return {
        "documents": documents,
        "ids": {f"w{index}": number for index, number in enumerate(numbers)},
        "bos": 0,
    }


def epoch_length(stream: dict[str, Any], rank: int, world_size: int) -> int:
    """How many tokens rank `rank` of `world_size` reads in one epoch, a bos before each document included."""
    groups = stream["documents"][rank::world_size]
    return sum(1 + len(document.split()) for group in groups for document in group)


def draw_cases(rng: Random, largest_ids: Sequence[int]) -> list[dict[str, Any]]:
    """What to ask the loader for: streams, shapes, ranks, numbers of batches, and other things that vary.

    Among them are one row, rows of one token, the first and the last of several ranks, large and small
    vocabularies (`largest_ids`, and bytes), a second epoch, documents in groups, in a plain list and from an
    iterator that ends, and batches left out at the start.
    """
    world_size = rng.randint(2, 3)
    alone, first, last = (0, 1), (0, world_size), (world_size - 1, world_size)
    several = [(rng.randint(2, 4), rng.randint(2, 6)) for _ in range(3)]
    # Shape, rank and world size, kind of documents, batches to skip, tokenizer.
    variants = [
        ((1, rng.randint(2, 9)), alone, "groups", 0, "words"),
        (several[0], last, "groups", 0, "words"),
        ((rng.randint(2, 5), 1), alone, "list", rng.randint(1, 3), "words"),
        (several[1], first, "groups", 0, "words"),
        ((1, 1), alone, "iterator", 0, "words"),
        (several[2], alone, "groups", 0, "bytes"),
    ]
    cases = []
    for i, ((B, T), (rank, ranks), documents, skip_batches, tokenizer) in enumerate(variants):
        stream = draw_stream(rng, groups=6, largest_id=largest_ids[i % len(largest_ids)])
        one_epoch = epoch_length(stream, rank, ranks)
        cases.append(
            {
                "stream": stream,
                "B": B,
                "T": T,
                "rank": rank,
                "world_size": ranks,
                "batches": one_epoch // (B * T + 1) + 2 if i < 2 else rng.randint(2, 4),
                "tokenizer_threads": rng.choice([1, 4]),
                "tokenizer_batch_size": rng.randint(1, 4),
                "split": ("train", "val")[i % 2],
                "documents": documents,
                "skip_batches": skip_batches,
                "tokenizer": tokenizer,
            }
        )
    return cases


def load_batches(loader: Any, case: dict[str, Any], device: Any) -> list[tuple[Any, Any]]:
    """The first batches of the tree's loader over the stream of `case`."""
    stream = case["stream"]
    documents: Any = stream["documents"]
    if case["documents"] != "groups":
        documents = [document for group in documents for document in group]
    if case["documents"] == "iterator":
        documents = iter(documents)
    names = ("B", "T", "split", "rank", "world_size", "tokenizer_threads", "tokenizer_batch_size")
    batches = loader(
        **{name: case[name] for name in (*names, "skip_batches")},
        device=device,
        documents=documents,
        tokenizer=_tokenizer(case),
    )
    return list(islice(batches, case["batches"]))


def try_to_load(loader: Any, case: dict[str, Any], device: str) -> list[tuple[Any, Any]] | None:
    """The same, where "cuda" is pretended, so that a machine without one can tell.

    None where something else than the loader may have failed: the real tokenizer, the pretence.
    """
    try:
        with pretended_cuda() if device == "cuda" else nullcontext():
            return load_batches(loader, case, device)
    except Exception:
        if device != "cuda" and case["tokenizer"] == "words":
            raise
        return None


def _tokenizer(case: dict[str, Any]) -> Any:
    if case["tokenizer"] == "words":
        return WordTokenizer(case["stream"]["ids"], case["stream"]["bos"])
    from nanochat.tokenizer import RustBPETokenizer

    return RustBPETokenizer({bytes([byte]): byte for byte in range(256)})
