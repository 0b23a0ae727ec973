"""Loads batches and notes what they are made of: dtypes, shapes, bytes, numbers."""

from bughunt.lab import streams

# More than 16 bits, signed or not, can hold.
LARGEST_ID = 150_000


def draw(rng):
    """A stream of known tokens, and the batches to ask for."""
    return {
        "stream": streams.draw_stream(rng, groups=12, largest_id=LARGEST_ID),
        "cases": streams.draw_cases(rng),
    }


def measure(inputs):
    """For every case the batches on the CPU, with their raw bytes, and what they would be on another device."""
    from nanochat.dataloader import tokenizing_distributed_data_loader

    measured = []
    for case in inputs["cases"]:
        on_cpu = streams.load_batches(tokenizing_distributed_data_loader, inputs["stream"], case, "cpu")
        on_meta = streams.load_batches(tokenizing_distributed_data_loader, inputs["stream"], case, "meta")
        measured.append(
            {
                "cpu": [{"inputs": _described(x, True), "targets": _described(y, True)} for x, y in on_cpu],
                "meta": [
                    {"inputs": _described(x, False), "targets": _described(y, False)} for x, y in on_meta
                ],
            }
        )
    return measured


def _described(tensor, has_data):
    description = {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "bytes": tensor.element_size() * tensor.nelement(),
    }
    if has_data:
        description["values"] = tensor.flatten().tolist()
        description["raw"] = tensor.contiguous().numpy().tobytes().hex()
    return description
