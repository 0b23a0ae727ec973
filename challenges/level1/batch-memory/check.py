"""Inputs are 32-bit and targets 64-bit integers, on every device, with every id intact."""

import sys

from bughunt.lab import streams

DEVICES = {"cpu": "the CPU", "meta": "a device other than the CPU"}


def batches(inputs, measured):
    for case, found in zip(inputs["cases"], measured, strict=True):
        for device in DEVICES:
            assert len(found[device]) == case["batches"], (
                "The loader gave fewer batches than it was asked for."
            )
            for batch in found[device]:
                yield case, device, batch


def numbers(raw, size):
    data = bytes.fromhex(raw)
    return [int.from_bytes(data[i : i + size], sys.byteorder, signed=True) for i in range(0, len(data), size)]


def test_dtypes(inputs, measured):
    for _, device, batch in batches(inputs, measured):
        found, targets = batch["inputs"]["dtype"], batch["targets"]["dtype"]
        assert found == "int32", (
            f"The loader's contract is int32 inputs; on {DEVICES[device]} they are {found}, which takes "
            f"{batch['inputs']['bytes']} bytes for {batch['inputs']['shape']} tokens."
        )
        assert targets == "int64", (
            f"The inputs are int32 now, but the targets are {targets} on {DEVICES[device]}: cross-entropy "
            "wants its class indices as int64."
        )


def test_shapes_and_bytes(inputs, measured):
    for case, _, batch in batches(inputs, measured):
        B, T = case["B"], case["T"]
        for name, size in (("inputs", 4), ("targets", 8)):
            assert batch[name]["shape"] == [B, T], (
                f"The {name} of a batch of {B} rows of {T} tokens have the shape {batch[name]['shape']}."
            )
            assert batch[name]["bytes"] == B * T * size, (
                f"{B} × {T} {name} should take {B * T * size} bytes; they take {batch[name]['bytes']}."
            )


def test_the_ids_survive(inputs, measured):
    for case, device, batch in batches(inputs, measured):
        if device != "cpu":
            continue
        tokens = streams.flat_stream(inputs["stream"], case["rank"], case["world_size"])
        for name, size in (("inputs", 4), ("targets", 8)):
            values = batch[name]["values"]
            assert numbers(batch[name]["raw"], size) == values, f"The {name} are not what their dtype says."
            assert set(values) <= set(tokens), (
                f"The {name} hold ids that are not in the documents: {sorted(set(values) - set(tokens))[:4]}. "
                "A conversion must keep every id as it is."
            )
        assert streams.find_stretch(batch["inputs"]["values"], tokens) is not None, (
            "The inputs of a batch should be a stretch of the token stream, in order; "
            f"they are {batch['inputs']['values'][:8]}."
        )
