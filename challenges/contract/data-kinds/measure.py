"""Loads batches of a known stream and notes what they are made of."""

from bughunt.lab.measuring import streams
from bughunt.lab.measuring.data_batches import draw_shapes, load


def draw(rng):
    """A stream with ids that 16 bits cannot hold, and shapes of batches, one of them a row, one a column."""
    return {
        "stream": streams.draw_stream(rng, groups=8, largest_id=150_000),
        "shapes": draw_shapes(rng),
    }


def measure(inputs):
    """For every shape, dtypes, shapes and devices of three batches, and the numbers of the first one's inputs
    after the others have been read; devices and shapes on "meta", which stands for any other than the CPU.
    """
    import torch

    measured = {}
    for B, T in inputs["shapes"]:
        batches = load(inputs["stream"], B, T, count=3)
        measured[f"{B} by {T}"] = {
            "inputs": [_kind(x) for x, _ in batches],
            "targets": [_kind(y) for _, y in batches],
            "numbers": batches[0][0].tolist(),
        }
        for device in ("meta", torch.device("meta"), torch.device("cpu")):
            moved = load(inputs["stream"], B, T, count=2, device=device)
            name = f"{device} as {type(device).__name__}"
            measured[f"{B} by {T}"][name] = [[_kind(x), _kind(y)] for x, y in moved]
    return measured


def _kind(tensor):
    return {
        "dtype": str(tensor.dtype),
        "shape": list(tensor.shape),
        "device": tensor.device.type,
        "gradient": tensor.requires_grad,
    }
