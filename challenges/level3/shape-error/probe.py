"""What happens for each number of key/value heads, and which of them each query head listens to."""

from bughunt.lab.measuring.gaps import largest_gap
from bughunt.views import Table, Text


def view(inputs, measured):
    rows, tones = [], {}
    for case, found in zip(inputs, measured, strict=True):
        outcomes = [outcome(found["whole"]), outcome(found["cached"])]
        if any(not isinstance(one, float) for one in outcomes):
            tones[len(rows)] = "warn"
        rows.append((case["heads"], case["kv_heads"], *(shown(one) for one in outcomes)))
    yield Text(
        "Models with several query heads for each key/value head, beside models that have a key/value head "
        "for every query head, with the same weights repeated. A gap is the largest difference of logits."
    )
    yield Table(
        ("query heads", "key/value heads", "gap, whole text", "gap, in chunks with a cache"),
        rows,
        tones=tones,
    )
    errors = list(dict.fromkeys(one for found in measured for one in errors_in(found)))
    for error in errors[:2]:
        yield Text(error, "warn")
    yield from listening(inputs, measured)


def errors_in(found):
    for way in ("whole", "cached"):
        for part in (found[way], found[way].get("shared")):
            if isinstance(part, dict) and "error" in part:
                yield part["error"]


def outcome(found):
    error = next(errors_in({"whole": found, "cached": {}}), None)
    if error is not None:
        return error
    return largest_gap(found["shared"], found["separate"])


def shown(one):
    return f"{one:.1e}" if isinstance(one, float) else one.split(":")[0]


def listening(inputs, measured):
    usable = [
        (case, found["listening"])
        for case, found in zip(inputs, measured, strict=True)
        if "error" not in found["listening"] and case["kv_heads"] > 1
    ]
    if not usable:
        return
    case, changes = min(usable, key=lambda one: one[0]["kv_heads"] / one[0]["heads"])
    rows = [
        (
            f"query head {head}",
            *(f"{changes['keys'][kv][head]:.2f}" for kv in range(case["kv_heads"])),
            *(f"{changes['values'][kv][head]:.2f}" for kv in range(case["kv_heads"])),
        )
        for head in range(case["heads"])
    ]
    numbers = range(case["kv_heads"])
    yield Table(
        ("", *(f"keys {kv}" for kv in numbers), *(f"values {kv}" for kv in numbers)),
        rows,
        title=f"{case['heads']} query heads, {case['kv_heads']} key/value heads: what a change of one moves",
    )
