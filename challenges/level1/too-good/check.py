"""Every target is the token that follows its input in the stream, to the last one of the batch."""

from bughunt.lab.expected import streams
from bughunt.lab.expected.batches import assert_apart, assert_there, assert_varied
from bughunt.lab.expected.forms import ADDRESS, Either, assert_form
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

DEVICES = {"cpu": "the CPU", "cpu:0": "the CPU", "cuda": "a CUDA device"}


def test_a_batch_stays_as_it_is(inputs, measured):
    for found in measured["batches"]:
        for batches in filter(None, found.values()):
            for i, name in enumerate(("inputs", "targets")):
                assert_apart(name, [batch["memory"][i] for batch in batches])


def test_targets_follow_their_inputs(inputs, measured):
    problems, fine = [], 0
    for case, device, found in loaded(inputs, measured):
        if case["tokenizer"] == "words":
            expected = streams.expected_batches(case, found)
            if expected is None:
                problems.append((case, device, 0, about_inputs(found, case)))
                continue
        else:
            # What the ids are is the real tokenizer's affair; that a target is the next input, the loader's.
            unknown = [(x, [*x[1:], *y[-1:]]) for x, y in found]
            expected = streams.expected_batches(case, found) or unknown
            for x, y in found:
                assert_varied("inputs", x)
                assert max(*x, *y) < streams.BYTES + len(SPECIAL_TOKENS) and min(*x, *y) >= 0, (
                    "A tokenizer of bytes has no such ids as those of a batch."
                )
        for number, ((x, y), (_, right)) in enumerate(zip(found, expected, strict=True)):
            if y == right:
                fine += case["tokenizer"] == "words"
            else:
                problems.append((case, device, number, about_targets(x, y, right, case)))
    if problems:
        # The most telling batches have rows, and rows have columns.
        case, device, number, message = min(problems, key=lambda one: 1 in (one[0]["B"], one[0]["T"]))
        if fine:
            message += (
                f" Other batches are right; this one is number {number + 1}"
                + " of the last ones before the documents come to an end" * case["from_the_end"]
                + f", of {case['B']} × {case['T']}, on {DEVICES[device]}, {asked_for(case)}."
            )
        raise AssertionError(message)


def asked_for(case):
    off = ", where no gradients are kept" * (case["gradients"] != "kept")
    if case["documents"] == "configured":
        return f"asked for the split {case['split']!r} of the configured data and nothing else{off}"
    return f"for rank {case['rank']} of {case['world_size']}{off}"


def test_a_loss_can_use_the_targets(inputs, measured):
    for number, found in enumerate(measured["batches"]):
        for batch in (batch for batches in filter(None, found.values()) for batch in batches):
            assert batch["targets_dtype"] == "int64", (
                f"The targets follow their inputs, but they are {batch['targets_dtype']}: cross-entropy "
                f"wants class indices as int64. (Of the loaders asked, number {number}.)"
            )


def test_every_device_is_given_the_same(inputs, measured):
    for number, found in enumerate(measured["batches"]):
        first, *others = [
            [(batch["inputs"], batch["targets"]) for batch in batches]
            for batches in found.values()
            if batches
        ] or [None]
        assert all(other == first for other in others), (
            f"A batch does not depend on the device; number {number} of those asked for does."
        )


def test_the_device(inputs, measured):
    for found in filter(None, measured["elsewhere"]):
        for name, device in found.items():
            assert_there(name, device, "meta")


def test_everything_was_measured(inputs, measured):
    """The real tokenizer may not work, which is another bug's affair, nor the pretence of "cuda": for all
    batches of one, then, or of the other."""

    def batches(case, cuda):
        rows = ((int,) * case["T"],) * case["B"]
        rows = str if case["documents"] == "configured" else rows
        batch = {
            "inputs": rows,
            "targets": rows,
            "shapes": ((case["B"], case["T"]),) * 2,
            "targets_dtype": "int64",
            "memory": (ADDRESS, ADDRESS),
        }
        whole = dict.fromkeys(DEVICES, (batch,) * case["batches"]) | ({} if cuda else {"cuda": None})
        return whole if case["tokenizer"] == "words" else Either(dict.fromkeys(DEVICES), whole)

    there = Either(None, {"inputs": "meta", "targets": "meta"})
    assert_form(
        {**measured, "demo": None},
        {
            "batches": Either(*(tuple(batches(case, cuda) for case in inputs["cases"]) for cuda in (0, 1))),
            "elsewhere": (there,) * len(inputs["cases"]),
            "demo": None,
        },
    )


def loaded(inputs, measured):
    """(case, device, its batches as flat inputs and targets) wherever there are any, of the right shape."""
    for case, found in zip(inputs["cases"], measured["batches"], strict=True):
        for device in DEVICES:
            if found[device] is None:
                continue
            assert len(found[device]) == case["batches"], (
                "The loader gave fewer batches than it was asked for."
            )
            for batch in found[device]:
                for name, shape in zip(("inputs", "targets"), batch["shapes"], strict=True):
                    assert shape == [case["B"], case["T"]], (
                        f"A batch of {case['B']} rows of {case['T']} tokens has {name} of the same shape; "
                        f"theirs is {shape}."
                    )
                    assert len(flat(batch[name])) == case["B"] * case["T"], "A batch has all its tokens."
            yield case, device, [(flat(batch["inputs"]), flat(batch["targets"])) for batch in found[device]]


def flat(rows):
    if isinstance(rows, str):
        return [ord(one) for one in rows]
    return [number for row in rows for number in row]


def about_targets(x, y, right, case):
    count = sum(a == b for a, b in zip(y, right, strict=True))
    shown = f"Right targets in a batch of {len(x)}: {count}. "
    if y == x:
        return shown + "Each is the very token the model has just been given, so there is nothing to predict."
    if y[:-1] == right[:-1]:
        return shown + "The last one does not follow its input: the stream goes on after the end of a batch."
    columns = {i % case["T"] for i, (a, b) in enumerate(zip(y, right, strict=True)) if a != b}
    if columns == {case["T"] - 1}:
        return shown + "Only the last in each row is wrong: the stream goes on from row to row."
    steps = streams.steps_ahead(x, y, case)
    if steps is not None:
        return shown + f"They stand {steps:+d} tokens from their inputs in the stream; right is +1."
    return shown + f"For the inputs {x[:6]} they begin {y[:6]}; the stream goes on with {right[:6]}."


def about_inputs(found, case):
    """What is wrong when the inputs, batch after batch, are not the stream's."""
    size = case["B"] * case["T"]
    if all(x == y for x, y in found):
        return "Each target is the very token the model has just been given, so there is nothing to predict."
    steps = [streams.steps_ahead(x, y, case) for x, y in found]
    for one in steps:
        if one not in (1, None):
            return f"The targets stand {one:+d} tokens from their inputs in the stream; right is +1."
    places = [streams.place(x, case) for x, _ in found]
    if None in places:
        x = found[places.index(None)][0]
        return f"The inputs of a batch should be a stretch of the token stream, in order; they begin {x[:8]}."
    if case["skip_batches"] == 0 and places[0] != 0:
        return (
            f"The first batch should begin with the first token of the stream; it begins {places[0]} later."
        )
    return (
        f"A batch of {size} inputs should begin {size + 1} tokens after the one before it in the stream, "
        f"epoch after epoch; these begin at its tokens {', '.join(map(str, places[:8]))}."
    )
