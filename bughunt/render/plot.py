"""Curves as characters."""

from __future__ import annotations

import math

from bughunt.views import Plot, Series

MARKS = "*o+x#@"


def plot_lines(plot: Plot, width: int, height: int = 12) -> list[str]:
    """The plot as lines of text: axes with their ranges, one mark for each series, and a legend."""
    points = [(x, y) for series in plot.series for x, y in finite_points(series, plot.log_y)]
    if not points:
        return ["(nothing to plot: no finite values)"]
    x_low, x_high = min(x for x, _ in points), max(x for x, _ in points)
    y_low, y_high = min(y for _, y in points), max(y for _, y in points)
    labels = [_number(_back(value, plot.log_y)) for value in (y_high, (y_low + y_high) / 2, y_low)]
    margin = max(len(label) for label in labels)
    columns = max(10, width - margin - 3)
    grid = [[" "] * columns for _ in range(height)]
    for series, mark in zip(plot.series, MARKS, strict=False):
        for x, y in finite_points(series, plot.log_y):
            column = _scale(x, x_low, x_high, columns - 1)
            grid[height - 1 - _scale(y, y_low, y_high, height - 1)][column] = mark
    drawn = []
    for index, row in enumerate(grid):
        label = {0: labels[0], height // 2: labels[1], height - 1: labels[2]}.get(index, "")
        drawn.append(f"{label:>{margin}} |{''.join(row).rstrip()}")
    left, right = _number(x_low), _number(x_high)
    drawn.append(" " * margin + " +" + "-" * columns)
    between = plot.x_label.center(max(0, columns - len(left) - len(right)))
    drawn.append(" " * (margin + 2) + left + between + right)
    if len(plot.series) > 1 or plot.y_label:
        legend = "   ".join(
            f"{mark} {series.name}" for series, mark in zip(plot.series, MARKS, strict=False) if series.name
        )
        drawn.append(" " * (margin + 2) + legend + (f"   (up: {plot.y_label})" if plot.y_label else ""))
    return drawn


def finite_points(series: Series, log_y: bool) -> list[tuple[float, float]]:
    """The points that can be drawn; on a logarithmic axis, with the logarithm of y."""
    return [
        (float(x), math.log10(y) if log_y else float(y))
        for x, y in zip(series.x, series.y, strict=True)
        if math.isfinite(x) and math.isfinite(y) and (y > 0 or not log_y)
    ]


def _back(value: float, log_y: bool) -> float:
    return 10.0**value if log_y else value


def _scale(value: float, low: float, high: float, steps: int) -> int:
    return round((value - low) / (high - low) * steps) if high > low else 0


def _number(value: float) -> str:
    return f"{value:.3g}"
