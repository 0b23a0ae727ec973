"""Streams of tokens that the judge knows one by one, and the loader's batches measured on them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from bughunt.lab.word_tokenizer import WordTokenizer


def draw_stream(rng: Random, *, groups: int, largest_id: int) -> dict[str, Any]:
    """Documents in groups, and an id for every word; no word comes twice, so an id tells its place."""
    lengths = [[rng.randint(3, 12) for _ in range(rng.randint(2, 4))] for _ in range(groups)]
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


def flat_stream(stream: dict[str, Any], rank: int, world_size: int) -> list[int]:
    """The tokens that rank `rank` of `world_size` reads in one epoch, in order."""
    ids, tokens = stream["ids"], []
    for group in stream["documents"][rank::world_size]:
        for document in group:
            tokens += [stream["bos"], *(ids[word] for word in document.split())]
    return tokens


def find_stretch(stretch: Sequence[int], tokens: Sequence[int]) -> int | None:
    """Where `stretch` lies in `tokens`, or None."""
    size = len(stretch)
    return next(
        (i for i in range(len(tokens) - size + 1) if list(tokens[i : i + size]) == list(stretch)), None
    )


def draw_cases(rng: Random) -> list[dict[str, Any]]:
    """Shapes, ranks and numbers of batches to ask the loader for."""
    shapes = [(1, rng.randint(2, 9)), (rng.randint(2, 4), rng.randint(2, 6)), (rng.randint(2, 5), 1)]
    return [
        {
            "B": B,
            "T": T,
            "rank": rank,
            "world_size": world_size,
            "batches": rng.randint(2, 3),
            "tokenizer_threads": rng.choice([1, 4]),
            "tokenizer_batch_size": rng.randint(1, 4),
            "split": rng.choice(["train", "val"]),
        }
        for (B, T), (rank, world_size) in zip(shapes, [(0, 1), (rng.randrange(2), 2), (0, 1)], strict=True)
    ]


def load_batches(
    loader: Any, stream: dict[str, Any], case: dict[str, Any], device: str
) -> list[tuple[Any, Any]]:
    """The first batches of the tree's loader over `stream`."""
    tokenizer = WordTokenizer(stream["ids"], stream["bos"])
    names = ("B", "T", "split", "rank", "world_size", "tokenizer_threads", "tokenizer_batch_size")
    batches = loader(
        **{name: case[name] for name in names},
        device=device,
        documents=stream["documents"],
        tokenizer=tokenizer,
    )
    return [next(batches) for _ in range(case["batches"])]
