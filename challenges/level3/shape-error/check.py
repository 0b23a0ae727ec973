"""Query heads that share a key/value head attend like heads with that key/value head to themselves."""

from bughunt.lab.gaps import largest_gap

# Over 100 seeds of the clean tree the logits of a model and its counterpart differ by at most 5e-6.
TOLERANCE = 1e-3

# There, another key head or value head changes the heads that listen to it by 0.03 at least, others by 3e-6.
HEARD = 2e-3
UNHEARD = 2e-4


def told(case):
    keys = f"{case['kv_heads']} key/value head" + "s" * (case["kv_heads"] > 1)
    return f"A model of {case['heads']} query heads and {keys}"


def error_in(found):
    return found.get("error") or (isinstance(found.get("shared"), dict) and found["shared"].get("error"))


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
        way = "" if error_in(measured[inputs.index(case)]["whole"]) else " with a cache"
        raise AssertionError(
            f"{told(case)} should run like any other; it ended{way} with {error}. "
            f"Head counts that ran: {', '.join(f'{q} and {kv}' for q, kv in good) or 'none'}."
        )


def test_a_group_attends_like_separate_heads(inputs, measured):
    for case, found in ran(inputs, measured):
        for way, name in (
            ("whole", "without a cache"),
            ("cached", f"with a cache, in chunks of {case['chunks']}"),
        ):
            gap = largest_gap(found[way]["shared"], found[way]["separate"])
            assert gap <= TOLERANCE, (
                f"{told(case)} should give the same logits as one of {case['heads']} key/value heads in "
                f"which each group's weights are repeated for its {case['heads'] // case['kv_heads']} query "
                f"heads. Read {name}, they differ by {gap:.2g}. {listening(case, found)}"
            )


def test_each_head_listens_to_its_group(inputs, measured):
    for case, found in ran(inputs, measured):
        assert "error" not in found["listening"], f"{told(case)} ended with {found['listening']['error']}."
        assert heard(case, found) == right(case), (
            f"{told(case)} does not attend as it should. {listening(case, found)}"
        )


def right(case):
    group = case["heads"] // case["kv_heads"]
    heads = [[head // group] for head in range(case["heads"])]
    return {"keys": heads, "values": heads}


def heard(case, found):
    """For the keys and for the values, the heads that each query head listens to; False if unclear."""
    result = {}
    for name, changes in found["listening"].items():
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
    told_of = [name for name in expected if seen[name] and seen[name] != expected[name]]
    if not told_of:
        return ""
    name = told_of[0]
    return (
        f"Its query heads {list(range(case['heads']))} take their {name} from the key/value heads "
        f"{shown(seen[name])}; right is {shown(expected[name])}: neighbours share."
    )


def shown(heads):
    return "[" + ", ".join("+".join(map(str, head)) or "none" for head in heads) + "]"
