"""Cuts small batches out of many tokens, and counts how many of the tokens are moved about for it."""

from functools import partial

from bughunt.lab.measuring.data_batches import load
from bughunt.lab.measuring.moved import elements_moved

DOCUMENTS, WORDS = 50, 60

# A token that is taken from the front of all that are waiting moves a thousand others, and more.
MANY = 100


def draw(rng):
    """Some thousand tokens that are read at a time, in documents of different words, and small batches."""
    words = [f"w{number}" for number in range(WORDS)]
    return {
        "stream": {
            "ids": dict(zip(words, rng.sample(range(1, 9_000), WORDS), strict=True)),
            "bos": 0,
            "documents": [[" ".join(rng.sample(words, WORDS)) for _ in range(DOCUMENTS)]],
        },
        "shapes": [[rng.randint(3, 5), rng.randint(10, 15)], [1, rng.randint(40, 60)]],
        "left out": rng.randint(2, 5),
    }


def measure(inputs):
    """Whether taking tokens moves many others for each, in batches and in those that are left out."""
    measured = {}
    for (B, T), left_out in zip(inputs["shapes"], (0, inputs["left out"]), strict=True):
        size = B * T + 1
        count = DOCUMENTS * (WORDS + 1) // size - left_out
        moved = elements_moved(partial(load, inputs["stream"], B, T, count=count, skip_batches=left_out))
        name = f"{B} by {T}, {left_out} left out"
        measured[name] = {"moves many others for each token": moved > MANY * (count + left_out) * size}
    return measured
