"""Where the tokens of a stream belong: in which order a rank reads them, in which batch, how far apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

Batches = list[tuple[list[int], list[int]]]

# Ids of bytes are below; that of bos, the first special token of a tokenizer of bytes, is it.
BYTES = 256

# How many times a document may begin with bos. That each has its own, and no more, is the tokenizer's affair:
# the tree's may leave it out, and a loader that adds one may stand in for it.
_BOS = {"words": (1, 2), "bytes": (0, 1, 2), "configured": (0, 1, 2)}


def flat_stream(stream: dict[str, Any], rank: int, world_size: int, *, bos: int = 1) -> list[int]:
    """The tokens that rank `rank` of `world_size` reads in one epoch: `bos` times bos, then a document, …"""
    ids, tokens = stream["ids"], []
    for group in stream["documents"][rank::world_size]:
        for document in group:
            tokens += [stream["bos"]] * bos + [ids[word] for word in document.split()]
    return tokens


def find_stretch(stretch: Sequence[int], tokens: Sequence[int]) -> int | None:
    """Where `stretch` lies in `tokens`, or None."""
    size = len(stretch)
    return next(
        (i for i in range(len(tokens) - size + 1) if list(tokens[i : i + size]) == list(stretch)), None
    )


def expected_batches(case: dict[str, Any], found: Batches) -> Batches | None:
    """Inputs and targets, flat, of the batches of a case; None if `found` has inputs that are none of these.

    By the loader's contract each batch begins B*T+1 tokens after the one before it. B*T is right for
    training, too: a batch then begins with the token that was the last one's last target.
    """
    size = case["B"] * case["T"]
    possible: list[Batches] = []
    for stride in (size + 1, size):
        for bos in _BOS[case["tokenizer"]]:
            epoch = _one_epoch(case, bos)
            # Of a source that ends, all that are whole.
            skipped = (len(epoch) - size - 1) // stride + 1 - case["batches"] if case["from_the_end"] else 0
            first = (case["skip_batches"] + skipped) * stride
            end = first + (case["batches"] - 1) * stride + size + 1
            tokens = list(islice(cycle(epoch), end))
            starts = range(first, end - size, stride)
            possible.append([(tokens[i : i + size], tokens[i + 1 : i + 1 + size]) for i in starts])
    fitting = [batches for batches in possible if [x for x, _ in batches] == [x for x, _ in found]]
    # Short batches may fit more than one way.
    return max(fitting, key=lambda batches: batches == found, default=None)


def place(stretch: Sequence[int], case: dict[str, Any]) -> int | None:
    """Where `stretch` lies in the endless stream of a case's epochs: in the first of them, or None."""
    for bos in _BOS[case["tokenizer"]]:
        epoch = _one_epoch(case, bos)
        found = find_stretch(stretch, list(islice(cycle(epoch), len(epoch) + len(stretch) - 1)))
        if found is not None:
            return found
    return None


def steps_ahead(inputs: Sequence[int], targets: Sequence[int], case: dict[str, Any]) -> int | None:
    """How many tokens after the inputs the targets stand in the stream; None for what is no stretch of it."""
    one, other = place(inputs, case), place(targets, case)
    if one is None or other is None:
        return None
    size = len(_one_epoch(case, 1))
    return (other - one + size // 2) % size - size // 2


def _one_epoch(case: dict[str, Any], bos: int) -> list[int]:
    if case["tokenizer"] == "words":
        return flat_stream(case["stream"], case["rank"], case["world_size"], bos=bos)
    groups = case["stream"]["documents"][case["rank"] :: case["world_size"]]
    documents = [document for group in groups for document in group]
    return [token for document in documents for token in ([BYTES] * bos + list(document.encode()))]
