"""Streams of tokens that the judge knows one by one, and the loader's batches measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from random import Random
from typing import Any

from bughunt.lab.word_tokenizer import WordTokenizer


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
        one_epoch = len(flat_stream(stream, rank, ranks))
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


Batches = list[tuple[list[int], list[int]]]


def expected_batches(case: dict[str, Any], found: Batches) -> Batches | None:
    """Inputs and targets, flat, of the batches of a case; None if `found` has inputs that are none of these.

    By the loader's contract each batch begins B*T+1 tokens after the one before it. B*T is right for
    training, too: a batch then begins with the token that was the last one's last target. That each
    document has its bos, and no more, is not asked here: a loader that adds one may stand in for a tokenizer
    that leaves it out.
    """
    size = case["B"] * case["T"]
    possible: list[Batches] = []
    for stride in (size + 1, size):
        first = case["skip_batches"] * stride
        end = first + (case["batches"] - 1) * stride + size + 1
        for bos in (1, 2):
            tokens = list(islice(cycle(_one_epoch(case, bos)), end))
            starts = range(first, end - size, stride)
            possible.append([(tokens[i : i + size], tokens[i + 1 : i + 1 + size]) for i in starts])
    fitting = [batches for batches in possible if [x for x, _ in batches] == [x for x, _ in found]]
    # Short batches may fit more than one way.
    return max(fitting, key=lambda batches: batches == found, default=None)


def place(stretch: Sequence[int], case: dict[str, Any]) -> int | None:
    """Where `stretch` lies in the endless stream of a case's epochs: in the first of them, or None."""
    for bos in (1, 2):
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
    return flat_stream(case["stream"], case["rank"], case["world_size"], bos=bos)


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


def _tokenizer(case: dict[str, Any]) -> Any:
    if case["tokenizer"] == "words":
        return WordTokenizer(case["stream"]["ids"], case["stream"]["bos"])
    from nanochat.tokenizer import RustBPETokenizer

    return RustBPETokenizer({bytes([byte]): byte for byte in range(256)})


@contextmanager
def pretended_cuda() -> Iterator[None]:
    """Lets code that asks for "cuda" run where there is none: its tensors are on the CPU after all."""
    import torch
    from torch.overrides import TorchFunctionMode

    def asks_for_cuda(argument: Any) -> bool:
        return isinstance(argument, (str, torch.device)) and str(argument).split(":")[0] == "cuda"

    class OnTheCpu(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if function in (torch.Tensor.cuda, torch.Tensor.pin_memory):
                return args[0]
            if function is torch.device:
                return function(*args, **(kwargs or {}))
            cpu = torch.device("cpu")
            args = tuple(cpu if asks_for_cuda(one) else one for one in args)
            kwargs = {name: cpu if asks_for_cuda(one) else one for name, one in (kwargs or {}).items()}
            kwargs.pop("pin_memory", None)
            return function(*args, **kwargs)

    with OnTheCpu():
        yield
