"""Every target is the token that follows its input in the stream, to the last one of the batch."""

from bughunt.lab import streams


def flat(rows):
    return [number for row in rows for number in row]


def test_targets_follow_their_inputs(inputs, measured):
    for case, batches in zip(inputs["cases"], measured["batches"], strict=True):
        assert len(batches) == case["batches"], "The loader gave fewer batches than it was asked for."
        tokens = streams.flat_stream(inputs["stream"], case["rank"], case["world_size"])
        for batch in batches:
            x, y = flat(batch["inputs"]), flat(batch["targets"])
            size = case["B"] * case["T"]
            assert [len(row) for row in batch["targets"]] == [case["T"]] * case["B"], (
                f"A batch of {case['B']} rows of {case['T']} has as many targets; "
                f"its rows have {[len(row) for row in batch['targets']]}."
            )
            start = streams.find_stretch(x, tokens)
            assert start is not None and len(x) == size, (
                f"The inputs of a batch should be a stretch of the token stream, in order; they are {x[:8]}."
            )
            right = tokens[start + 1 : start + 1 + size]
            assert y == right, describe(x, y, right, tokens, start, case)


def test_batches_go_on_where_the_last_one_ended(inputs, measured):
    for case, batches in zip(inputs["cases"], measured["batches"], strict=True):
        tokens = streams.flat_stream(inputs["stream"], case["rank"], case["world_size"])
        size = case["B"] * case["T"]
        starts = [streams.find_stretch(flat(batch["inputs"]), tokens) for batch in batches]
        for one, other in zip(starts, starts[1:], strict=False):
            assert other - one in (size, size + 1), (
                f"After a batch of {size} inputs the next one should begin {size} or {size + 1} tokens further "
                f"on in the stream; it begins {other - one} further on."
            )


def describe(x, y, right, tokens, start, case):
    shown = (
        f"Of {len(x)} targets in a batch, {sum(a == b for a, b in zip(y, right, strict=True))} are right. "
    )
    if y == x:
        return shown + "Each is the very token the model has just been given, so there is nothing to predict."
    if y[:-1] == right[:-1]:
        return shown + "The last one does not follow its input: the stream goes on after the end of a batch."
    columns = {i % case["T"] for i, (a, b) in enumerate(zip(y, right, strict=True)) if a != b}
    if columns == {case["T"] - 1}:
        return shown + "Only the last in each row is wrong: the stream goes on from row to row."
    place = streams.find_stretch(y, tokens)
    if place is not None:
        return shown + f"They stand {place - start:+d} tokens from their inputs in the stream; right is +1."
    return shown + f"For the inputs {x[:6]} they begin {y[:6]}; the stream goes on with {right[:6]}."
