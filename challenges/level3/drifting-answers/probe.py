"""The gap between logits with the cache and without it, position by position."""

from bughunt.lab.expected.gaps import gaps_by_position
from bughunt.views import Plot, Series, Table, Text

# What rounding alone comes to; a gap of nothing has no place on a logarithmic axis.
FLOOR = 1e-8


def view(inputs, measured):
    yield Text(
        "The same text is read twice by the same model with random weights: once whole, without a cache, and "
        "once piece by piece, with one. A gap is the largest difference between the logits of a position."
    )
    curves, rows = [], []
    seen = set()
    for case, found in zip(inputs["cases"], measured, strict=True):
        gaps = gaps_by_position(found["cached"], found["uncached"])
        name = f"{case['layers']} layer" + "s" * (case["layers"] > 1)
        if case["layers"] not in seen and gaps:
            seen.add(case["layers"])
            curves.append(Series(name, list(range(len(gaps))), [max(gap, FLOOR) for gap in gaps]))
        rows.append(
            (
                name,
                len(case["rows"]),
                " ".join(map(str, case["chunks"])),
                " ".join(map(str, found["positions"])),
                f"{max(gaps, default=0):.1e}",
            )
        )
    yield Plot(
        "Logits with the cache against without it",
        curves,
        x_label="position",
        y_label="gap",
        log_y=True,
    )
    yield Table(("model", "rows", "chunks read", "position after each", "largest gap"), rows)
    for found in measured:
        if "error" in found:
            yield Text(f"With the cache, the model ended with an error: {found['error']}", "warn")
            break
