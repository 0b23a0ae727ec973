"""A cache takes the memory that a conversation needs, keeps what is in it, and gives it all back on reset."""

from itertools import pairwise

# A cache that grows may double, or round its need up with room to spare: at the lengths measured here that is
# at most this many positions, and a few bytes more for what else an object may hold.
SPARE = 2048
SLACK = 256

# Of single tokens that a full cache is given one after the other, so many may make it take new memory.
MOVES = 2

# Growing changes no number: over 200 seeds of the clean tree the logits of a cache that grew and of one that
# was made large enough differ by at most 2e-6. Lost keys move those of the small cache by 0.9 at least.
TOLERANCE = 5e-4


def conversations(inputs, measured):
    return zip(inputs["cases"], measured["cases"], strict=True)


def lengths(case):
    return case["lengths"] + [1] * case["single_tokens"]


def allowed(case, needed):
    return max(case["capacity"], 2 * needed, needed + SPARE) + SLACK


def test_growth_follows_the_need(inputs, measured):
    for case, found in conversations(inputs, measured):
        needed = 0
        for length, step in zip(lengths(case), found["steps"], strict=False):
            needed += length
            held = step["bytes"] / found["bytes_a_position"]
            assert held > 0, f"{text(case)}, and no memory can be found in the cache that holds them."
            assert held <= allowed(case, needed), (
                f"{text(case)}: with {needed} positions read, the cache holds memory for {held:.0f}. Up to "
                f"{allowed(case, needed)} would do, with room to spare."
            )


def test_growth_keeps_the_contents(inputs, measured):
    for case, found in conversations(inputs, measured):
        needed = 0
        for length, step in zip(lengths(case), found["steps"], strict=False):
            needed += length
            assert step["gap"] <= TOLERANCE, (
                f"{text(case)}: at position {needed} the model should answer as it does with a cache that "
                f"need not grow; its logits differ by {step['gap']:.2g}. What was in it must stay."
            )
        if len(found["steps"]) < len(lengths(case)):
            raise AssertionError(
                f"{text(case)}: the model could not read on after {needed} positions: {found.get('error')}."
            )


def test_a_copy_of_a_grown_cache_answers_alike(inputs, measured):
    for case, found in conversations(inputs, measured):
        assert found.get("copied", 0.0) <= TOLERANCE, (
            f"{text(case)}. A cache prefilled from it should answer like it; logits differ by "
            f"{found['copied']:.2g}."
        )


def test_growth_stays_on_the_device(inputs, measured):
    trouble = measured["elsewhere"]
    assert trouble is None, (
        f"A cache whose keys are on another device than the CPU cannot grow there: {trouble}"
    )


def test_all_layers_grow_in_their_own_dtype(inputs, measured):
    for case, found in zip(inputs["layered"], measured["layered"], strict=True):
        length = case["length"]
        what = (
            f"A {case['dtype']} cache of {case['layers']} layers, made for {case['capacity']} positions and "
            f"given {case['chunks']} times {length}"
        )
        for number, step in enumerate(found["steps"], start=1):
            if step["position"] != number * length:
                break  # Something else than the cache moves its position, and it did not take part here.
            assert all(step["kept"]), (
                f"{what}: of {number * length} positions, layers {losing_layers(step['kept'])} do not give "
                "back the keys and values that they were given, in the dtype that they had."
            )
            # As if there were one more, for a position that runs ahead of some layers.
            most = allowed(case, (number + 1) * length)
            held = step["bytes"] / found["bytes_a_position"]
            assert held <= most, (
                f"{what}: with {number * length} positions in it, it holds memory for {held:.0f}; up to "
                f"{most} would do."
            )
        else:
            assert "error" not in found, f"{what}: it ended with {found['error']}."
            assert found["after_reset"] <= found["new"], (
                f"{what}. After a reset it should be as new, and hold {found['new']} bytes; it holds "
                f"{found['after_reset']}."
            )


def losing_layers(kept):
    return [layer for layer, one in enumerate(kept) if not one]


def test_growth_is_seldom(inputs, measured):
    for case, found in conversations(inputs, measured):
        if len(found["steps"]) < len(lengths(case)):
            continue
        marks = [step["mark"] for step in found["steps"]][len(case["lengths"]) - 1 :]
        moves = sum(one != other for one, other in pairwise(marks))
        assert moves <= MOVES, (
            f"{text(case)}: over the last {case['single_tokens']} tokens it took new memory {moves} times. "
            f"Each time all that is there is copied, so the cost grows with the square of the length."
        )


def test_reset_frees_the_memory(inputs, measured):
    for case, found in conversations(inputs, measured):
        if "after_reset" not in found:
            continue
        after = found["after_reset"]
        assert after["bytes"] <= found["new"], (
            f"{text(case)}. After a reset the cache should be as new, and hold {found['new']} bytes; it "
            f"holds {after['bytes']}, room for {after['bytes'] // found['bytes_a_position']} positions."
        )
        assert after["position"] == 0, (
            f"After a reset the cache should stand at position 0; it stands at {after['position']}."
        )


def test_a_cache_that_was_reset_is_as_new(inputs, measured):
    for case, found in conversations(inputs, measured):
        for step in found.get("again", []):
            assert step["bytes"] <= step["fresh_bytes"], (
                f"{text(case)}. After a reset, a short text takes {step['bytes']} bytes in it, and "
                f"{step['fresh_bytes']} in a new cache of the same make."
            )
            assert step["gap"] <= TOLERANCE, (
                f"After a reset the model should answer as with a new cache; its logits differ by "
                f"{step['gap']:.2g}."
            )
            assert step["positions"][0] == step["positions"][1], (
                f"After a reset and a short text the cache stands at position {step['positions'][0]}; a new "
                f"one stands at {step['positions'][1]}."
            )
        if len(found["steps"]) < len(lengths(case)):
            continue
        assert "prefilled" in found, (
            f"{text(case)}. After a reset the cache could not be used like a new one: {found.get('error')}."
        )
        taken = found["prefilled"]
        assert taken["bytes"] <= taken["fresh_bytes"] and taken["gap"] <= TOLERANCE, (
            f"A cache that was reset and then took over a prompt's keys and values holds {taken['bytes']} "
            f"bytes ({taken['fresh_bytes']} in a new one), and logits differ by {taken['gap']:.2g}."
        )


def text(case):
    """The case in words, for a message to begin with."""
    row = "one row" if case["rows"] == 1 else f"{case['rows']} rows"
    read = ", ".join(map(str, case["lengths"]))
    more = f" and {case['single_tokens']} times 1" if case["single_tokens"] else ""
    return f"A cache made for {case['capacity']} positions of {row} was given {read}{more}"
