"""Loads batches and notes what they are made of: dtypes, shapes, bytes, numbers, and where they are."""

from bughunt.lab.measuring import streams

# One that 16 bits, signed or not, cannot hold, and one that they can.
LARGEST_IDS = (150_000, 9_000)

DEVICES = ("cpu", "meta", "cuda")


def draw(rng):
    """What to ask the loader for, with streams of known tokens."""
    return {"cases": streams.draw_cases(rng, LARGEST_IDS)}


def measure(inputs):
    """For every case and device the batches, with their raw bytes where there are any.

    "meta" stands for any device other than the CPU; "cuda" is pretended, so that a machine without one can
    tell. Where something else than the loader fails (the real tokenizer, the pretence), it is left out.
    """
    from nanochat.dataloader import tokenizing_distributed_data_loader

    measured = []
    for case in inputs["cases"]:
        found = {}
        for device in DEVICES:
            batches = streams.try_to_load(tokenizing_distributed_data_loader, case, device)
            found[device] = batches and [
                {"inputs": _described(case, x), "targets": _described(case, y)} for x, y in batches
            ]
        measured.append(found)
    return measured


def _described(case, tensor):
    description = {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "bytes": tensor.element_size() * tensor.nelement(),
        "device": tensor.device.type,
    }
    if tensor.device.type != "meta":
        import torch

        flat = tensor.detach().flatten().clone(memory_format=torch.contiguous_format)
        description["memory"] = tensor.data_ptr()
        description["values"] = streams.written(case, flat)
        if case["documents"] == "configured":
            return description
        description["raw"] = bytes(flat.view(torch.uint8).tolist()).hex()
    return description
