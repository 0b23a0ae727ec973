"""Query heads that share a key/value head attend like heads with that key/value head to themselves."""

import math

from bughunt.lab.expected.forms import Either, Within, assert_form
from bughunt.lab.expected.gaps import assert_of_a_kind
from bughunt.lab.measuring.gaps import largest_gap

VOCABULARY = 12

# Over 200 seeds of the clean tree the logits of a model and its counterpart differ by at most 7e-6.
TOLERANCE = 1e-3

# In bfloat16 logits, of a size of 1.5, are off by at most 0.09 over 60 seeds of the clean tree: of two models
# each may be off by as much.
COARSE = 0.3

# Bytes for what else a cache may hold.
SLACK = 256

# There, another key head or value head changes the heads that listen to it by 0.15 at least, others by 2e-6.
HEARD = 2e-3
UNHEARD = 2e-4

# There, outputs (of a size of about 1) double, and shares of attention come out, within 4e-6.
LINEAR = 1e-3

# There, gradients differ by at most 2e-6 of their size; without those of the values there are none.
GRADIENTS = 1e-3


def text(case):
    """The case in words, for a message to begin with."""
    keys = f"{case['kv_heads']} key/value head" + "s" * (case["kv_heads"] > 1)
    return f"A model of {case['heads']} query heads and {keys}"


def with_a_cache(case):
    copied = ", the first of them once for all rows" if case["copied"] else ""
    return f"with a cache, in chunks of {case['chunks']}{copied}"


def error_in(found):
    return found.get("error") or error_of(found.get("shared"))


def error_of(logits):
    return isinstance(logits, dict) and logits.get("error")


def ran(inputs, measured):
    for case, found in zip(inputs, measured, strict=True):
        if not error_in(found["whole"]) and not error_in(found["cached"]):
            yield case, found


def test_every_grouping_runs(inputs, measured):
    wrong = [
        (case, error_in(found["whole"]) or error_in(found["cached"]))
        for case, found in zip(inputs, measured, strict=True)
        if error_in(found["whole"]) or error_in(found["cached"])
    ]
    if wrong:
        good = sorted(
            (case["heads"], case["kv_heads"])
            for case, found in zip(inputs, measured, strict=True)
            if not error_in(found["whole"]) and not error_in(found["cached"])
        )
        case, error = wrong[0]
        way = "" if error_in(measured[inputs.index(case)]["whole"]) else f", read {with_a_cache(case)},"
        raise AssertionError(
            f"{text(case)} should run like any other; it ended{way} with {error}. "
            f"Head counts that ran: {', '.join(f'{q} and {kv}' for q, kv in good) or 'none'}."
        )


def test_a_group_attends_like_separate_heads(inputs, measured):
    for case, found in ran(inputs, measured):
        for way, name in (
            ("whole", "without a cache"),
            ("cached", with_a_cache(case)),
        ):
            gap = largest_gap(found[way]["shared"], found[way]["separate"])
            assert gap <= TOLERANCE, (
                f"{text(case)} should give the same logits as one of {case['heads']} key/value heads in "
                f"which each group's weights are repeated for its {case['heads'] // case['kv_heads']} query "
                f"heads, which reads without a cache. Read {name}, they differ by {gap:.2g}. "
                f"{listening(case, found)}"
            )


def test_a_group_attends_alike_in_bfloat16(inputs, measured):
    for case, found in ran(inputs, measured):
        both = found["bfloat16"]
        if both is None:
            continue
        error = error_in(both) or error_of(both["separate"]) or both["cached"]
        assert not error, f"{text(case)} should run in bfloat16, too. There it ended with {error}."
        gap = largest_gap(both["shared"], both["separate"])
        assert gap <= COARSE, (
            f"{text(case)}, both it and one of as many key/value heads as query heads in bfloat16, should "
            f"give the same logits within {COARSE}; they differ by {gap:.2g}."
        )


def test_a_shared_head_is_cached_once(inputs, measured):
    for case, found in ran(inputs, measured):
        if not case["copied"]:
            continue
        shared, separate = found["memory"]
        assert None not in (shared, separate), f"{text(case)} does not run like any other with a cache."
        most = separate * case["kv_heads"] / case["heads"] + SLACK
        assert 0 < shared <= most, (
            f"{text(case)}: a cache holds {shared} bytes for it, and {separate} for a model of as many "
            f"key/value heads as query heads. It should need less, by the number of heads in a group."
        )


def test_it_runs_on_any_device(inputs, measured):
    for case, found in ran(inputs, measured):
        assert found["elsewhere"] is None, (
            f"{text(case)} should run on any device. Elsewhere than on the CPU it does not: "
            f"{found['elsewhere']}."
        )


def test_each_head_listens_to_its_group(inputs, measured):
    for case, found in ran(inputs, measured):
        assert "error" not in found["listening"], f"{text(case)} ended with {found['listening']['error']}."
        assert heard(case, found) == right(case), (
            f"{text(case)} does not attend as it should. {listening(case, found)}"
        )


def test_attention_is_attention_all_the_same(inputs, measured):
    """What holds with any number of heads: scaled scores, no look ahead, values summed as they are."""
    for case, found in ran(inputs, measured):
        changes, focus = found["listening"], found["focus"]
        error = isinstance(focus, dict) and focus["error"]
        assert not error, f"{text(case)} ended with {error}."
        assert changes["future"] <= UNHEARD, (
            f"{text(case)} sees what comes later: another last token changes earlier positions by "
            f"{changes['future']:.2g}."
        )
        assert changes["values doubled"] <= LINEAR and changes["keys doubled"] <= LINEAR, (
            f"{text(case)}: values twice as large should make attention's output twice as large, and "
            f"keys that are twice as long should change nothing, as they are normed. The outputs are off by "
            f"{changes['values doubled']:.2g} and {changes['keys doubled']:.2g}."
        )
        others = len(case["rows"][0]) - 1
        share = 1.0 / (1.0 + others * math.exp(-math.sqrt(case["head_dim"])))
        wrong = [head for head, found_share in enumerate(focus) if not abs(found_share - share) <= LINEAR]
        assert not wrong, (
            f"{text(case)}, of width {case['head_dim']}: a token that looks for itself among {others} others "
            f"should get {share:.3f} of each head's attention; query head {wrong[0]} gives it "
            f"{focus[wrong[0]]:.3f}."
        )


def test_shared_heads_learn_from_all_that_use_them(inputs, measured):
    for case, found in ran(inputs, measured):
        apart = found["gradients"]
        assert not isinstance(apart, dict), f"{text(case)} could not be trained: {apart['error']}."
        assert apart is not None and apart <= GRADIENTS, (
            f"{text(case)}: the gradient of a shared head's weights should be the sum of what separate heads "
            "would get. " + ("There is none." if apart is None else f"It is off by {apart:.2g} of its size.")
        )


def test_separate_heads_say_what_they_are_asked(inputs, measured, clean):
    """Their first logits, which nothing before them has a say in, are known; the others are of their kind."""
    for case, found, known in zip(inputs, measured, clean, strict=True):
        if error_in(found["whole"]) or error_in(found["cached"]):
            continue
        for way in ("whole", "cached"):
            one, other = found[way]["separate"], known[way]
            gap = largest_gap([row[0] for row in one], [row[0] for row in other])
            assert gap <= TOLERANCE, (
                f"A model of {case['heads']} query heads and as many key/value heads should run as it did. "
                f"For a first token, its logits are off by {gap:.2g}."
            )
            what = f"The logits of {case['heads']} query heads and as many key/value heads"
            assert_of_a_kind(what, one, other)
            if way == "whole" and found["bfloat16"]:
                assert_of_a_kind(f"{what}, in bfloat16,", found["bfloat16"]["separate"], known["bfloat16"])
            if case["uniform"]:
                gap = largest_gap(one, other)
                assert gap <= TOLERANCE, (
                    f"{what} are off by {gap:.2g}. All its queries are zero, so each position attends to all "
                    "that came before it alike, and to nothing else."
                )


def test_everything_was_measured(inputs, measured):
    forms = []
    for case in inputs:
        logits = (((float,) * VOCABULARY,) * len(case["rows"][0]),) * len(case["rows"])
        both = {"separate": logits, "shared": logits}
        changes = ((Within(0.0, math.inf),) * case["heads"],) * case["kv_heads"]
        others = dict.fromkeys(("future", "keys doubled", "values doubled"), Within(0.0, math.inf))
        forms.append(
            {
                "whole": both,
                "cached": both,
                "memory": (int, int) if case["copied"] else None,
                "bfloat16": None if case["copied"] else Either(None, {**both, "cached": None}),
                "listening": {"keys": changes, "values": changes, **others},
                "focus": (float,) * case["heads"],
                "gradients": Within(0.0, GRADIENTS),
                "elsewhere": None,
            }
        )
    assert_form(measured, tuple(forms))


def right(case):
    group = case["heads"] // case["kv_heads"]
    heads = [[head // group] for head in range(case["heads"])]
    return {"keys": heads, "values": heads}


def heard(case, found):
    """For the keys and for the values, the heads that each query head listens to; False if unclear."""
    result = {}
    for name in ("keys", "values"):
        changes = found["listening"][name]
        clear = all(change > HEARD or change < UNHEARD for row in changes for change in row)
        result[name] = clear and [
            [kv_head for kv_head in range(case["kv_heads"]) if changes[kv_head][head] > HEARD]
            for head in range(case["heads"])
        ]
    return result


def listening(case, found):
    if "error" in found["listening"]:
        return ""
    expected, seen = right(case), heard(case, found)
    wrong = [name for name in expected if seen[name] and seen[name] != expected[name]]
    if not wrong:
        return ""
    name = wrong[0]
    return (
        f"Its query heads {list(range(case['heads']))} take their {name} from the key/value heads "
        f"{shown(seen[name])}; right is {shown(expected[name])}: neighbours share."
    )


def shown(heads):
    return "[" + ", ".join("+".join(map(str, head)) or "none" for head in heads) + "]"
