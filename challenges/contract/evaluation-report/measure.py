"""Reports: what is in the two files, where the points of a chart lie, means over windows."""

import re
from pathlib import Path


def draw(rng):
    """Cells, points of lines, windows."""
    points = [[step, round(rng.uniform(0.1, 50), 2)] for step in range(0, 40, 4)]
    return {
        "cells": [[f"name {row}", str(rng.randrange(1000)), str(rng.randrange(1000))] for row in range(3)],
        "points": points,
        "scattered": [[rng.randint(5, 4000), round(rng.uniform(-9, 9), 2)] for _ in range(5)],
        "windows": [1, 2, 3, len(points), 50, 0],
    }


def measure(inputs):
    """A report's words and figures in both formats; charts, scaled to the unit square; smoothed lines."""
    import tempfile

    from nanochat import report

    one, two = ([tuple(point) for point in inputs[name]] for name in ("points", "scattered"))
    blocks = [
        report.Heading("A & <heading>"),
        report.Text("text with 1 < 2"),
        report.Table(["what", "a", "b|c"], inputs["cells"]),
        report.Chart("curve", "A chart", "step", {"first": one, "second": two}),
        report.Dialog(
            "2+2?",
            [
                {"type": "python", "text": "2+2"},
                {"type": "python_output", "text": "4"},
                {"type": "text", "text": "It is 4 < 5."},
            ],
        ),
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = report.write_report(Path(folder) / "a" / "report", "The title", blocks)
        texts = [path.read_text(encoding="utf-8") for path in paths]
        names = sorted(path.name for path in (Path(folder) / "a" / "report").iterdir())
        picture = (Path(folder) / "a" / "report" / "curve.svg").read_text(encoding="utf-8")
    wanted = ["The title", "2+2?", "It is 4", *(cell for row in inputs["cells"] for cell in row)]
    return {
        "files": [names, [path.name for path in paths]],
        "in the report": [[word in text for word in wanted] for text in texts],
        "escaped": ["&lt;heading&gt;" in texts[1], "<heading>" in texts[1], "b\\|c" in texts[0]],
        "charts": {
            "two lines": lines(picture),
            "in the page": lines(texts[1]) == lines(picture),
            "logarithmic": lines(report.draw(report.Chart("c", "t", "x", {"one": one}, log_y=True))),
            "one point": len(lines(report.draw(report.Chart("c", "t", "x", {"one": one[:1]})))),
            "nothing": "<svg" in report.draw(report.Chart("c", "t", "x", {"one": []})),
        },
        "smoothed": [[list(point) for point in report.smooth(one, window)] for window in inputs["windows"]],
        "smoothed nothing": report.smooth([], 3),
    }


def lines(picture):
    """The lines of a picture, each scaled and moved into the unit square of all of them; up is up."""
    found = [
        [[float(number) for number in point.split(",")] for point in line.split()]
        for line in re.findall(r"<polyline[^>]*points='([^']*)'", picture)
    ]
    xs, ys = ([point[axis] for line in found for point in line] for axis in (0, 1))
    width, height = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    return [[[(x - min(xs)) / width, (max(ys) - y) / height] for x, y in line] for line in found]
