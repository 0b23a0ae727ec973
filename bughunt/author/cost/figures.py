"""From pairs of runs to the figures and curves of a cost."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bughunt.content.cost_record import Figure
from bughunt.views import Plot, Series

S = TypeVar("S")
T = TypeVar("T")

Points = list[tuple[float, float]]
Bases = tuple[Path, Path]
Pair = tuple[float, float]

# A plot in the terminal shows no more points than this.
_MOST_POINTS = 60


def both(function: Callable[[S], T], pair: tuple[S, S]) -> tuple[T, T]:
    """The function of each of the two."""
    return function(pair[0]), function(pair[1])


def figure(name: str, pair: Sequence[float], format: str = ",.3f", *, symptom: bool = False) -> Figure:
    """A figure of a healthy run and of one with the bug."""
    clean, bug = pair
    return Figure(name, clean, bug, format, symptom)


def metrics(base: Path, name: str = "base") -> list[dict[str, Any]]:
    """The metrics of a run, a record for each step; none where it came to none."""
    path = base / name / "metrics.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def last(key: str) -> Callable[[list[dict[str, Any]]], float]:
    """Finds the last value of a metric in a run."""
    return lambda run: next(float(record[key]) for record in reversed(run) if key in record)


def tail_loss(run: list[dict[str, Any]]) -> float:
    """The mean training loss of the last steps."""
    return statistics.fmean(record["loss"] for record in run[-20:])


def losses(bases: Bases, name: str = "base", *, log_y: bool = False) -> Plot:
    return plot(bases, "loss", "Training loss", "nats per token", name=name, log_y=log_y)


def plot(
    bases: Bases, key: str, title: str, y_label: str, *, name: str = "base", log_y: bool = False
) -> Plot:
    """A metric over the steps of two runs."""

    def points(base: Path) -> Points:
        return [(float(record["step"] + 1), float(record[key])) for record in metrics(base, name)]

    return pair_plot(both(points, bases), title, "step", y_label, log_y=log_y)


def pair_plot(
    points: tuple[Points, Points], title: str, x_label: str, y_label: str, *, log_y: bool = False
) -> Plot:
    """Two curves; with `log_y` what has no logarithm is left out."""

    def shown(name: str, one: Points) -> Series:
        return curve(name, [(x, y) for x, y in one if y > 0 or not log_y])

    clean, bug = points
    series = [shown("without the bug", clean), shown("with the bug", bug)]
    return Plot(title, series, x_label, y_label, log_y)


def curve(name: str, points: Sequence[tuple[float, float]]) -> Series:
    """A curve through `points`, averaged over neighbours to as many points as a terminal can show."""
    size = -(-len(points) // _MOST_POINTS)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return Series(
        name,
        [sum(x for x, _ in group) / len(group) for group in groups],
        [sum(y for _, y in group) / len(group) for group in groups],
    )
