"""A cache takes the memory that a conversation needs, keeps what is in it, and gives it all back on reset."""

from itertools import pairwise

from bughunt.lab.expected.forms import Within, assert_form
from bughunt.lab.expected.gaps import assert_of_a_kind
from bughunt.lab.measuring.gaps import largest_gap

VOCABULARY = 12
COUNT = Within(0, 2**62)

# A cache that grows may double, or round its need up with room to spare: at the lengths measured here that is
# at most this many positions, and a few bytes more for what else an object may hold.
SPARE = 2048
SLACK = 256

# Of single tokens that a full cache is given one after the other, so many may make it take new memory.
MOVES = 2

# Growing changes no number: over 200 seeds of the clean tree the logits of a cache that grew and of one that
# was made large enough differ by at most 2e-6. Lost keys move those of the small cache by 0.9 at least.
TOLERANCE = 5e-4

# Of a sum of keys or values, as a share of their number: the same, however they lie in memory.
SUM_TOLERANCE = 1e-9


def conversations(inputs, measured):
    return zip(inputs["cases"], measured["cases"], strict=True)


def lengths(case):
    return case["lengths"] + [1] * case["single_tokens"]


def allowed(case, needed):
    return max(case["capacity"], 2 * needed, needed + SPARE) + SLACK


def bytes_a_position(case):
    layers, size = case.get("layers", 1), {"bfloat16": 2, "float64": 8}.get(case.get("dtype"), 4)
    return layers * 2 * case["rows"] * case["heads"] * case["head_dim"] * size


def test_growth_follows_the_need(inputs, measured):
    for case, found in conversations(inputs, measured):
        needed = 0
        for length, step in zip(lengths(case), found["steps"], strict=False):
            needed += length
            held = step["bytes"] / bytes_a_position(case)
            assert held >= needed, (
                f"{text(case)}: with {needed} positions read, no more memory can be found in the cache than "
                f"{held:.0f} of them take."
            )
            assert held <= allowed(case, needed), (
                f"{text(case)}: with {needed} positions read, the cache holds memory for {held:.0f}. Up to "
                f"{allowed(case, needed)} would do, with room to spare."
            )


def test_growth_keeps_the_contents(inputs, measured):
    for case, found in conversations(inputs, measured):
        needed = 0
        for length, step in zip(lengths(case), found["steps"], strict=False):
            needed += length
            gap = largest_gap(step["answer"], step["roomy"]) if "roomy" in step else 0.0
            assert gap <= TOLERANCE, (
                f"{text(case)}: at position {needed} the model should answer as it does with a cache that "
                f"need not grow; its logits differ by {gap:.2g}. What was in it must stay."
            )
        if len(found["steps"]) < len(lengths(case)):
            raise AssertionError(
                f"{text(case)}: the model could not read on after {needed} positions: {found.get('error')}."
            )


def test_a_copy_of_a_grown_cache_answers_alike(inputs, measured):
    for case, found in conversations(inputs, measured):
        if "copied" in found:
            gap = largest_gap(found["copied"]["answer"], found["copied"]["witness"])
            assert gap <= TOLERANCE, (
                f"{text(case)}. A cache prefilled from it should answer like it; logits differ by {gap:.2g}."
            )


def test_a_cache_keeps_nothing_for_gradients(inputs, measured):
    kept, case = measured["kept"], inputs["cases"][0]
    if isinstance(kept, dict):
        raise AssertionError(f"{text(case)} in training: the model could not read on: {kept['error']}.")
    assert not any(kept), (
        f"{text(case)} in training, and then reset. What the model would need for gradients should go with "
        f"its answers; of that, {kept} numbers were left after one piece and the next, and after the reset."
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
            held = step["bytes"] / bytes_a_position(case)
            assert number * length <= held <= most, (
                f"{what}: with {number * length} positions in it, it holds memory for {held:.0f}; up to "
                f"{most} would do."
            )
        else:
            assert "error" not in found, f"{what}: it ended with {found['error']}."
        if "error" not in found:
            assert found["after_reset"] <= found["new"] <= allowed(case, 0) * bytes_a_position(case), (
                f"{what}. After a reset it should be as new, and hold {found['new']} bytes; it holds "
                f"{found['after_reset']}."
            )


def test_layers_give_back_what_they_were_given(inputs, measured, clean):
    for case, found, right in zip(inputs["layered"], measured["layered"], clean["layered"], strict=True):
        numbers = case["rows"] * case["heads"] * case["length"] * case["chunks"] * case["head_dim"]
        for number, (step, known) in enumerate(zip(found["steps"], right, strict=False), start=1):
            if step["position"] != number * case["length"]:
                break
            gap = largest_gap(step["sums"], known)
            assert gap <= SUM_TOLERANCE * numbers, (
                f"A {case['dtype']} cache of {case['layers']} layers gives back other keys and values than "
                f"those it was given: their sums are off by {gap:.2g}."
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
        most = allowed(case, 0) * bytes_a_position(case)
        assert found["new"] <= most, (
            f"A cache made for {case['capacity']} positions holds {found['new']} bytes when it is new. Up to "
            f"{most} would do."
        )
        assert after["bytes"] <= found["new"], (
            f"{text(case)}. After a reset the cache should be as new, and hold {found['new']} bytes; it "
            f"holds {after['bytes']}, room for {after['bytes'] // bytes_a_position(case)} positions."
        )
        assert after["position"] == 0, (
            f"After a reset the cache should stand at position 0; it stands at {after['position']}."
        )


def test_a_cache_that_was_reset_is_as_new(inputs, measured):
    for case, found in conversations(inputs, measured):
        read = 0
        for length, step in zip(case["again"], found.get("again", []), strict=False):
            read += length
            assert step["fresh_bytes"] <= allowed(case, read) * bytes_a_position(case), (
                f"{text(case)}. A new cache of the same make takes {step['fresh_bytes']} bytes for {read} "
                "positions."
            )
            assert read * bytes_a_position(case) <= step["bytes"] <= step["fresh_bytes"], (
                f"{text(case)}. After a reset, a short text takes {step['bytes']} bytes in it, and "
                f"{step['fresh_bytes']} in a new cache of the same make."
            )
            gap = largest_gap(step["answer"], step["fresh"])
            assert gap <= TOLERANCE, (
                f"After a reset the model should answer as with a new cache; its logits differ by {gap:.2g}."
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
        gap = largest_gap(taken["answer"], taken["fresh"])
        # A prompt of four positions, and it may be there twice.
        least, most = (size * bytes_a_position(case) for size in (4, 2 * allowed(case, 4)))
        assert taken["bytes"] <= taken["fresh_bytes"] <= most and gap <= TOLERANCE, (
            f"A cache that was reset and then took over a prompt's keys and values holds {taken['bytes']} "
            f"bytes ({taken['fresh_bytes']} in a new one), and logits differ by {gap:.2g}."
        )
        assert least <= taken["bytes"], (
            f"A cache that was reset and then took over a prompt's keys and values holds {taken['bytes']} "
            f"bytes; these take {least}."
        )


def test_the_model_says_what_it_is_asked(inputs, measured, clean):
    for case, found, right in zip(inputs["cases"], measured["cases"], clean["cases"], strict=True):
        if len(found["steps"]) < len(lengths(case)) or "prefilled" not in found:
            continue
        # What nothing before it has a say in is known.
        first = largest_gap(found["again"][0]["fresh"], right["fresh"][0])
        assert first <= TOLERANCE, (
            f"{text(case)}. For a first token, the model's logits are off by {first:.2g}."
        )
        answers = f"{text(case)}. The model's answers with"
        assert_of_a_kind(f"{answers} a cache that need not grow", roomy(found), right["roomy"])
        assert_of_a_kind(f"{answers} a new cache", fresh(found), right["fresh"])
        assert_of_a_kind(f"{answers} a copy", found["copied"]["witness"], right["witness"])


def roomy(found):
    return [step["roomy"] for step in found["steps"] if "roomy" in step]


def fresh(found):
    return [step["fresh"] for step in (*found["again"], found["prefilled"])]


def test_everything_was_measured(inputs, measured):
    cases = []
    for case in inputs["cases"]:
        logits = ((float,) * VOCABULARY,) * case["rows"]
        weighed = {"bytes": int, "mark": int}
        step = {**weighed, "answer": logits, "roomy": logits}
        again = {"bytes": int, "fresh_bytes": int, "answer": logits, "fresh": logits}
        cases.append(
            {
                "bytes_a_position": bytes_a_position(case),
                "new": COUNT,
                "steps": (step,) * len(case["lengths"]) + (weighed,) * case["single_tokens"],
                "copied": {"answer": (logits,) * 2, "witness": (logits,) * 2},
                "after_reset": {"bytes": COUNT, "position": 0},
                "again": ({**again, "positions": (COUNT, COUNT)},) * len(case["again"]),
                "prefilled": again,
            }
        )
    layered = []
    for case in inputs["layered"]:
        kept, sums = (bool,) * case["layers"], ((float, float),) * case["layers"]
        step = {"kept": kept, "sums": sums, "position": int, "bytes": int}
        layered.append(
            {
                "bytes_a_position": bytes_a_position(case),
                "new": COUNT,
                "steps": (step,) * case["chunks"],
                "after_reset": COUNT,
            }
        )
    assert_form(
        {**measured, "demo": None},
        {
            "cases": tuple(cases),
            "layered": tuple(layered),
            "elsewhere": None,
            "kept": (0,) * (len(inputs["cases"][0]["lengths"]) + 1),
            "demo": None,
        },
    )


def text(case):
    """The case in words, for a message to begin with."""
    row = "one row" if case["rows"] == 1 else f"{case['rows']} rows"
    read = ", ".join(map(str, case["lengths"]))
    more = f" and {case['single_tokens']} times 1" if case["single_tokens"] else ""
    mode = ", in training," if case["training"] else ""
    return f"A cache made for {case['capacity']} positions of {row}{mode} was given {read}{more}"
