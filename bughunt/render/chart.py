"""A plot as an SVG drawing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from bughunt.render.plot import finite_points
from bughunt.views import Plot

WIDTH, HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 34, 64
COLOURS = ("#0b7285", "#c2255c", "#e67700", "#2b8a3e", "#5f3dc4", "#364fc7", "#862e9c")


def chart(plot: Plot) -> str:
    """The plot as an SVG element of WIDTH × HEIGHT pixels, readable in black and white, too."""
    points = [finite_points(series, plot.log_y) for series in plot.series]
    flat = [point for series in points for point in series]
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, plot.title, weight="bold"),
    ]
    if not flat:
        drawn.append(_text(_LEFT, HEIGHT / 2, "nothing to plot: no finite values"))
        return "\n".join([*drawn, "</svg>"])
    x_low, x_high = _span([x for x, _ in flat])
    y_low, y_high = _span([y for _, y in flat])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT)
        up = (y - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)
        return _LEFT + across, HEIGHT - _BOTTOM - up

    for tick in _ticks(x_low, x_high):
        x, y = place(tick, y_low)
        drawn.append(_line(x, _TOP, x, y, "#e9ecef"))
        drawn.append(_text(x, y + 16, f"{tick:g}", anchor="middle"))
    for tick in _ticks(y_low, y_high):
        x, y = place(x_low, tick)
        drawn.append(_line(x, y, WIDTH - _RIGHT, y, "#e9ecef"))
        drawn.append(_text(x - 6, y + 4, f"{10**tick if plot.log_y else tick:.3g}", anchor="end"))
    for index, series in enumerate(points):
        drawn += _curve([place(x, y) for x, y in series], index)
    drawn.append(_text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 30, plot.x_label, anchor="middle"))
    drawn.append(
        f'<g transform="translate(16 {(_TOP + HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)">'
        f"{_text(0, 0, plot.y_label, anchor='middle')}</g>"
    )
    drawn += _legend([series.name for series in plot.series])
    return "\n".join([*drawn, "</svg>"])


def _curve(places: list[tuple[float, float]], index: int) -> Iterator[str]:
    colour, dash = COLOURS[index % len(COLOURS)], ("none", "6 3", "2 3", "8 3 2 3")[index % 4]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
    yield f'<polyline points="{path}" fill="none" {stroke}/>'
    if len(places) <= 40:
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>'


def _legend(names: list[str]) -> Iterator[str]:
    x = float(_LEFT)
    for index, name in enumerate(names):
        yield _line(x, HEIGHT - 14, x + 18, HEIGHT - 14, COLOURS[index % len(COLOURS)], 3)
        yield _text(x + 24, HEIGHT - 10, name)
        x += 40 + 7 * len(name)


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> Iterator[float]:
    """Round numbers between `low` and `high`, at most eight of them."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next((factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 7), 10)
    first = math.ceil(low / step)
    while first * step <= high + step * 1e-9:
        yield round(first * step, 12)
        first += 1


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width}"/>'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
