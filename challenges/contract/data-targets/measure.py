"""Loads batches of a known stream and looks where in it the targets are, seen from the inputs."""

from bughunt.lab.measuring import streams
from bughunt.lab.measuring.data_batches import draw_shapes, load
from bughunt.lab.measuring.data_places import place_of, tokens_of


def draw(rng):
    """A stream in which every word comes once, and shapes of batches."""
    return {
        "stream": streams.draw_stream(rng, groups=8, largest_id=9_000),
        "shapes": draw_shapes(rng),
        "left out": rng.randint(1, 2),
    }


def measure(inputs):
    """For every shape: the first batch's targets, and whether each batch's are what follows its inputs."""
    stream = inputs["stream"]
    tokens = tokens_of(stream["documents"], stream["ids"], stream["bos"])
    measured = {}
    for B, T in inputs["shapes"]:
        batches = load(stream, B, T, count=4)
        later = load(stream, B, T, "val", count=2, skip_batches=inputs["left out"])
        measured[f"{B} by {T}"] = {
            "of the first batch": batches[0][1].tolist(),
            "after the last input": [_next(x, y, tokens) for x, y in (*batches, *later)],
            "within the batch": [x.flatten()[1:].tolist() == y.flatten()[:-1].tolist() for x, y in batches],
        }
    return measured


def _next(x, y, tokens):
    """Whether the last target is what follows the last input in the stream. Begins of documents look alike,
    so the whole batch is looked for."""
    row = [*x.flatten().tolist(), y.flatten()[-1].item()]
    return place_of(row, tokens) is not None
