"""How far each channel pair turns from one position to the next, and what attention makes of distance."""

import math

from bughunt.views import Plot, Series, Table, Text


def view(inputs, measured):
    demo = measured["demo"]
    if "error" in demo:
        yield Text(f"The rotation could not be read off the model's attention: {demo['error']}", "warn")
        return
    angles = demo["angles"]
    yield Text(
        f"A model with heads of width {demo['head_dim']}, so {len(angles)} channel pairs a head. Its weights "
        "are chosen so that its logits tell how each pair scores: what follows is read off its answers."
    )
    yield Plot(
        "How far a channel pair turns from one position to the next",
        [Series("angle", list(range(len(angles))), [abs(angle) for angle in angles])],
        x_label="channel pair",
        y_label="radians",
        log_y=True,
    )
    picked = sorted({0, 1, len(angles) // 4, len(angles) // 2, 3 * len(angles) // 4, len(angles) - 1})
    yield Table(
        ("channel pair", "radians a position", "a full turn takes"),
        [(i, f"{angles[i]:.3g}", turn(angles[i])) for i in picked],
    )
    points = [
        (distance, score)
        for distance, score in zip(demo["distances"], demo["scores"], strict=True)
        if score is not None
    ]
    yield Plot(
        "Attention score of a query and a key that are equal, by their distance",
        [Series("score", [x for x, _ in points], [y for _, y in points])],
        x_label="distance in positions",
        y_label="score, 1 at distance 0",
    )
    slowest = min(abs(angle) for angle in angles)
    yield Text(
        f"The slowest pair has turned by {slowest * 1024:.3g} rad ({slowest * 1024 / (2 * math.pi):.2g} "
        "turns) after 1,024 positions. A pair that has gone all the way round is back where it began."
    )


def turn(angle):
    return f"{2 * math.pi / abs(angle):,.0f} positions" if angle else "for ever"
