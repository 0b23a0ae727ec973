"""Inputs are 32-bit and targets 64-bit integers, on every device, with every id intact."""

import sys

from bughunt.lab.expected import streams
from bughunt.lab.expected.batches import assert_apart, assert_there, assert_varied
from bughunt.lab.expected.forms import ADDRESS, Either, assert_form
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

DEVICES = {"cpu": "the CPU", "meta": "a device other than the CPU", "cuda": "a CUDA device"}
# Labels that a loss ignores. Whether a target may be one is not a question of its dtype.
IGNORED = {-1, -100}


def loaded(inputs, measured):
    """(case, device, its batches) wherever there are any."""
    for case, found in zip(inputs["cases"], measured, strict=True):
        for device in DEVICES:
            if found[device] is not None:
                yield case, device, found[device]


def numbers(raw, size):
    data = bytes.fromhex(raw)
    return [int.from_bytes(data[i : i + size], sys.byteorder, signed=True) for i in range(0, len(data), size)]


def rows(values, T):
    return [values[i : i + T] for i in range(0, len(values), T)]


def test_dtypes(inputs, measured):
    wrong = {"inputs": {}, "targets": {}}
    right = set()
    for case, device, batches in loaded(inputs, measured):
        for name, dtype in (("inputs", "int32"), ("targets", "int64")):
            for batch in batches:
                if batch[name]["dtype"] != dtype:
                    wrong[name].setdefault(batch[name]["dtype"], (case, device, batch[name]))
                else:
                    right.add((name, device))
    if wrong["inputs"]:
        dtype, (case, device, found) = next(iter(wrong["inputs"].items()))
        B, T = (*found["shape"], 0, 0)[:2]
        message = (
            f"The loader's contract is int32 inputs; on {DEVICES[device]} they are {dtype}: "
            f"{found['bytes']} bytes for {B} × {T} tokens; int32 takes {4 * B * T}."
        )
        if dtype in ("int8", "uint8", "int16", "uint16"):
            message += " A large vocabulary has ids that so few bits cannot hold."
        fine = [DEVICES[one] for one in DEVICES if ("inputs", one) in right and one != device]
        if ("inputs", device) in right:
            message += f" Other batches on the same device are right; this one is {asked_for(case)}."
        elif fine:
            message += f" On {fine[0]} they are right."
        raise AssertionError(message)
    if wrong["targets"]:
        dtype, (_, device, _) = next(iter(wrong["targets"].items()))
        raise AssertionError(
            f"The inputs are int32, as they should be, but the targets are {dtype} on {DEVICES[device]}: "
            "cross-entropy wants its class indices as int64."
        )


def asked_for(case):
    off = ", where no gradients are kept" * (case["gradients"] != "kept")
    if case["documents"] == "configured":
        return f"of the split {case['split']!r} of the configured data, with nothing else asked for{off}"
    largest = max(case["stream"]["ids"].values()) if case["tokenizer"] == "words" else 264
    return (
        "one of the last before the documents come to an end, " * case["from_the_end"]
        + f"for rank {case['rank']} of {case['world_size']}, with a vocabulary of {largest + 1}{off}"
    )


def test_shapes_and_bytes(inputs, measured):
    for case, _, batches in loaded(inputs, measured):
        assert len(batches) == case["batches"], "The loader gave fewer batches than it was asked for."
        B, T = case["B"], case["T"]
        for batch in batches:
            for name, size in (("inputs", 4), ("targets", 8)):
                assert batch[name]["shape"] == [B, T], (
                    f"The {name} of a batch of {B} rows of {T} tokens have the shape {batch[name]['shape']}."
                )
                assert batch[name]["bytes"] == B * T * size, (
                    f"{B} × {T} {name} should take {B * T * size} bytes; they take {batch[name]['bytes']}."
                )


def test_the_device(inputs, measured):
    for _, device, batches in loaded(inputs, measured):
        for batch in batches:
            for name in ("inputs", "targets"):
                if device == "meta":
                    assert_there(name, batch[name]["device"], device)


def test_a_batch_stays_as_it_is(inputs, measured):
    for _, device, batches in loaded(inputs, measured):
        for name in ("inputs", "targets"):
            if device != "meta":
                assert_apart(name, [batch[name]["memory"] for batch in batches])


def test_the_ids_survive(inputs, measured):
    for case, device, batches in loaded(inputs, measured):
        if device == "meta":
            continue
        words = case["tokenizer"] == "words"
        known = set(range(streams.BYTES + len(SPECIAL_TOKENS)))
        if words:
            known = set(streams.flat_stream(case["stream"], case["rank"], case["world_size"]))
        for name in ("inputs", "targets"):
            assert_varied(name, [token for batch in batches for token in ids_of(batch[name])])
        for batch in batches:
            for name, size in (("inputs", 4), ("targets", 8)):
                values = ids_of(batch[name])
                assert len(values) == case["B"] * case["T"], f"The {name} are not as many as they should be."
                assert "raw" not in batch[name] or numbers(batch[name]["raw"], size) == values, (
                    f"The {name} are not what their dtype says."
                )
                strange = sorted(set(values) - known - (IGNORED if name == "targets" else set()))
                assert not strange, (
                    f"The {name} hold ids that are not in the documents: {strange[:4]}. "
                    "A conversion must keep every id as it is."
                )
            # Whether a row goes on where the one before it ended is not a question of dtypes, either.
            for row in rows(batch["inputs"]["values"], case["T"]) if words else ():
                assert streams.place(row, case) is not None, (
                    f"Each row of inputs should be a stretch of the token stream, in order; one is {row[:8]}."
                )


def ids_of(tensor):
    values = tensor["values"]
    return [ord(one) for one in values] if isinstance(values, str) else values


def test_everything_was_measured(inputs, measured):
    """The real tokenizer may not work, which is another bug's affair, nor the pretence of "cuda": for all
    batches of one, then, or of the other."""

    def tensor(case, device, dtype, size):
        shape = case["B"], case["T"]
        form = {"dtype": dtype, "shape": shape, "bytes": size * case["B"] * case["T"], "device": "cpu"}
        if device == "meta":
            return {**form, "device": "meta"}
        if case["documents"] == "configured":
            return {**form, "memory": ADDRESS, "values": str}
        return {**form, "memory": ADDRESS, "values": (int,) * (case["B"] * case["T"]), "raw": str}

    def batches(case, cuda):
        whole = {}
        for device in DEVICES:
            batch = {
                "inputs": tensor(case, device, "int32", 4),
                "targets": tensor(case, device, "int64", 8),
            }
            whole[device] = (batch,) * case["batches"] if device != "cuda" or cuda else None
        return whole if case["tokenizer"] == "words" else Either(dict.fromkeys(DEVICES), whole)

    assert_form(
        measured, Either(*(tuple(batches(case, cuda) for case in inputs["cases"]) for cuda in (0, 1)))
    )
