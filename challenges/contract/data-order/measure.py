"""Follows what the loader reads of a known stream: by ranks, over epochs, after a pause, to the end."""

from bughunt.lab.measuring import streams
from bughunt.lab.measuring.data_batches import draw_shapes, load
from bughunt.lab.measuring.data_places import in_order, tokens_of
from bughunt.lab.measuring.refusals import refusal

WORLD_SIZES = (1, 2, 3)
EPOCHS = 3


def draw(rng):
    """A stream in groups of documents, shapes of batches, and how much to read at a time and to leave out."""
    return {
        "stream": streams.draw_stream(rng, groups=7, largest_id=9_000),
        "shapes": draw_shapes(rng),
        "at a time": [1, 2, rng.randint(3, 4), 50],
        "left out": [1, rng.randint(2, 4)],
        "full": rng.randint(2, 3),
    }


def measure(inputs):
    """`groups`, `plain`: whether batches follow one another, for documents in groups and one by one.
    `resumed`: whether a run goes on where it was. `end`: batches of a source that ends. `refused`: what is.
    """
    stream = inputs["stream"]
    plain = [document for group in stream["documents"] for document in group]
    measured = {"groups": {}, "plain": {}}
    for i, world_size in enumerate(WORLD_SIZES):
        B, T = inputs["shapes"][i]
        for rank in range(world_size):
            name, size = f"rank {rank} of {world_size}, {B} by {T}", inputs["at a time"][i]
            options = {"rank": rank, "world_size": world_size, "tokenizer_batch_size": size}
            pieces = [plain[start : start + size] for start in range(0, len(plain), size)]
            for kind, groups, documents in (
                ("groups", stream["documents"], map(tuple, stream["documents"])),
                ("plain", pieces, plain),
            ):
                documents = list(documents)
                tokens = tokens_of(groups, stream["ids"], stream["bos"], rank, world_size) * EPOCHS
                count = (len(tokens) - 1) // (B * T + 1)
                found = load(stream, B, T, "val", count=count, documents=documents, **options)
                measured[kind][name] = in_order([x for x, _ in found], tokens) | {"batches": len(found)}
    measured["resumed"] = {f"{B} by {T}": _resumed(inputs, B, T) for B, T in inputs["shapes"]}
    measured["end"] = _end(inputs, plain)
    measured["ahead"] = [_ahead(stream, plain, size) for size in inputs["at a time"][:3]]
    measured["refused"] = _refused(stream, plain)
    return measured


def _resumed(inputs, B, T):
    """Whether the batches after those left out are the same that a run without a pause has there."""
    stream = inputs["stream"]
    whole = load(stream, B, T, count=8, tokenizer_batch_size=2)
    found = {}
    for left_out in (0, *inputs["left out"]):
        rest = load(stream, B, T, count=8 - left_out, tokenizer_batch_size=2, skip_batches=left_out)
        found[f"after {left_out}"] = [
            bool(x.equal(again)) for (x, _), (again, _) in zip(whole[left_out:], rest, strict=True)
        ]
    return found


def _end(inputs, plain):
    """Batches of an iterator that ends: exactly full, one token more, and fewer tokens than a batch has."""
    stream, batches = inputs["stream"], inputs["full"]
    tokens = tokens_of([plain], stream["ids"], stream["bos"])
    words = {number: word for word, number in stream["ids"].items()}
    found = {}
    for extra in (0, 1):
        size = 5 * batches + extra
        # One document, its bos included, of which batches of 2 by 2 and the token after them are made.
        text = " ".join(words[number] for number in [one for one in tokens if one in words][: size - 1])
        for name, one in (("text", text), ("group", [text])):
            rows = load(stream, 2, 2, documents=iter([one]))
            found[f"{name}, {extra} more"] = [len(rows), rows[0][0].tolist() if rows else None]
    found["too few"] = len(load(stream, 100, 100, documents=iter(plain)))
    found["none"] = len(load(stream, 1, 1, documents=iter([])))
    found["none for this rank"] = len(load(stream, 1, 1, documents=iter(plain[:1]), rank=1, world_size=2))
    return found


def _ahead(stream, plain, size):
    """Whether more documents are taken than are tokenized at a time, for a batch that one would fill."""
    taken = []
    documents = (taken.append(1) or document for document in plain)
    load(stream, 1, 1, count=1, documents=documents, tokenizer_batch_size=size)
    return len(taken) > size


def _refused(stream, plain):
    def tried(B=1, T=1, documents=plain, **options):
        return refusal(load, stream, B, T, count=1, documents=documents, **options)

    return {
        "no rows": [tried(B=0), tried(B=-1)],
        "no length": tried(T=0),
        "no threads": tried(tokenizer_threads=0),
        "nothing at a time": tried(tokenizer_batch_size=0),
        "batches left out": [tried(skip_batches=-1), tried(skip_batches=0)],
        "ranks": [tried(rank=rank, world_size=2) for rank in (-1, 0, 1, 2, 3)],
        "worlds": [tried(rank=0, world_size=0), tried(rank=1, world_size=1)],
        "one text": tried(documents="ab"),
        "numbers": tried(documents=[1, 2]),
        "no documents": [tried(documents=[]), tried(documents=[[], []])],
        "too few documents": tried(documents=plain[:1], rank=1, world_size=2),
    }
