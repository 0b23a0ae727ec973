"""Streams of known tokens, and what the tree's loader makes of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from random import Random
from typing import Any

from bughunt.lab.measuring.configured import byte_tokenizer, configured_data
from bughunt.lab.measuring.devices import pretended_cuda
from bughunt.lab.measuring.tokenizers import WordTokenizer

# The rows of a micro-batch in the default recipe.
RECIPE = {"device_batch_size": 8, "sequence_len": 256}

# Whoever reads a source to its end gives up after so many batches.
_MOST_BATCHES = 1000


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
    iterator that ends (of one, the last batches: `from_the_end`), and batches left out at the start. In some,
    torch keeps no gradients (`gradients`). The last ones are `configured`: with rows as the default recipe
    has them, and longer ones, and with everything else left to its default.
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
        ((2, 3), alone, "iterator", 0, "words"),
    ]
    cases = []
    for i, ((B, T), (rank, ranks), documents, skip_batches, tokenizer) in enumerate(variants):
        stream = draw_stream(rng, groups=6, largest_id=largest_ids[i % len(largest_ids)])
        one_epoch, from_the_end = epoch_length(stream, rank, ranks), i == len(variants) - 1
        cases.append(
            {
                "stream": stream,
                "B": B,
                "T": T,
                "rank": rank,
                "world_size": ranks,
                "batches": one_epoch // (B * T + 1) + 2
                if i < 2
                else 2
                if from_the_end
                else rng.randint(2, 4),
                "tokenizer_threads": rng.choice([1, 4]),
                "tokenizer_batch_size": rng.randint(1, 4),
                "split": ("train", "val")[i % 2],
                "documents": documents,
                "skip_batches": skip_batches,
                "tokenizer": tokenizer,
                "from_the_end": from_the_end,
                "gradients": ("kept", "off", "kept", "inference")[i % 4],
            }
        )
    default = RECIPE["device_batch_size"], RECIPE["sequence_len"]
    return [
        *cases,
        _draw_configured(rng, default, "train", batches=3, gradients="kept"),
        _draw_configured(rng, default, "val", batches=3, gradients="off"),
        _draw_configured(rng, (16, 1024), rng.choice(["train", "val"]), batches=1, gradients="kept"),
    ]


def _draw_configured(
    rng: Random, shape: tuple[int, int], split: str, *, batches: int, gradients: str
) -> dict[str, Any]:
    """One for which only the rows and the split are given. Every document of the configured data is the same
    text, in which a few letters in a row tell their place."""
    text = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz  ") for _ in range(rng.randint(1200, 1500)))
    return {
        "stream": {"documents": [[text]]},
        "B": shape[0],
        "T": shape[1],
        "rank": 0,
        "world_size": 1,
        "batches": batches,
        "split": split,
        "documents": "configured",
        "skip_batches": 0,
        "tokenizer": "configured",
        "from_the_end": False,
        "gradients": gradients,
    }


def load_batches(loader: Any, case: dict[str, Any], device: Any) -> list[tuple[Any, Any]]:
    """The first batches of the tree's loader over the stream of `case`, or the last ones."""
    with _gradients(case["gradients"]):
        if case["documents"] == "configured":
            elsewhere = {} if device == "cpu" else {"device": device}
            with configured_data(case["stream"]["documents"][0][0]):
                return list(islice(loader(case["B"], case["T"], case["split"], **elsewhere), case["batches"]))
        batches = _batches_of_documents(loader, case, device)
        if case["from_the_end"]:
            return list(deque(islice(batches, _MOST_BATCHES), maxlen=case["batches"]))
        return list(islice(batches, case["batches"]))


def _gradients(what: str) -> AbstractContextManager[Any]:
    import torch

    modes: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "kept": nullcontext,
        "off": torch.no_grad,
        "inference": torch.inference_mode,
    }
    return modes[what]()


def _batches_of_documents(loader: Any, case: dict[str, Any], device: Any) -> Any:
    stream = case["stream"]
    documents: Any = stream["documents"]
    if case["documents"] != "groups":
        documents = [document for group in documents for document in group]
    if case["documents"] == "iterator":
        documents = iter(documents)
    names = ("B", "T", "split", "rank", "world_size", "tokenizer_threads", "tokenizer_batch_size")
    return loader(
        **{name: case[name] for name in (*names, "skip_batches")},
        device=device,
        documents=documents,
        tokenizer=_tokenizer(case),
    )


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
    return byte_tokenizer()


def written(case: dict[str, Any], rows: Any) -> Any:
    """A tensor of ids as lists; of a `configured` case, whose ids are few and whose rows are long, as one
    string, with a character of that number for each id."""
    if case["documents"] != "configured":
        return rows.tolist()
    return "".join(chr(one) if 0 <= one < 0xD800 else "\ufffd" for one in rows.flatten().tolist())
