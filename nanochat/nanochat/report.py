"""Reports of a run as one Markdown and one HTML file, with line charts as SVG pictures.

A report is a title and a list of blocks: `Heading`, `Text`, `Table`, `Chart`, `Dialog`. Each block knows how
to write itself in both formats. Nothing is loaded from elsewhere when the HTML is opened.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Point = tuple[float, float]

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 30, 40
COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626")


@dataclass(frozen=True)
class Heading:
    text: str

    def to_markdown(self, folder: Path) -> str:
        return f"## {self.text}"

    def to_html(self) -> str:
        return f"<h2>{html.escape(self.text)}</h2>"


@dataclass(frozen=True)
class Text:
    text: str

    def to_markdown(self, folder: Path) -> str:
        return self.text

    def to_html(self) -> str:
        return f"<p>{html.escape(self.text)}</p>"


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header; columns after the first are numbers and stand to the right."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_markdown(self, folder: Path) -> str:
        def line(cells: Sequence[str]) -> str:
            return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

        rule = "| --- |" + " ---: |" * (len(self.header) - 1)
        return "\n".join([line(self.header), rule, *map(line, self.rows)])

    def to_html(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        return f"<table><thead>{row(self.header, 'th')}</thead><tbody>{body}</tbody></table>"


@dataclass(frozen=True)
class Chart:
    """Lines over a common axis. `name` is the picture's file name."""

    name: str
    title: str
    x_label: str
    lines: dict[str, Sequence[Point]]
    log_y: bool = False

    def to_markdown(self, folder: Path) -> str:
        """A link to the picture, which is written into the folder."""
        (folder / f"{self.name}.svg").write_text(self.to_svg(), encoding="utf-8")
        return f"![{self.title}]({self.name}.svg)"

    def to_html(self) -> str:
        return f"<figure>{self.to_svg()}</figure>"

    def to_svg(self) -> str:
        return draw(self)


@dataclass(frozen=True)
class Dialog:
    """A question and the parts of the answer to it; tool calls are set apart."""

    question: str
    parts: Sequence[dict[str, str]]

    def to_markdown(self, folder: Path) -> str:
        return f"> **{self.question}**\n>\n> " + " ".join(self._pieces("`{}`", "`= {}`", "{}"))

    def to_html(self) -> str:
        pieces = self._pieces("<code>{}</code>", "<code>= {}</code>", "{}", html.escape)
        question = html.escape(self.question)
        return f"<div class='dialog'><p><b>{question}</b></p><p>{' '.join(pieces)}</p></div>"

    def _pieces(self, python: str, output: str, text: str, escape=str) -> list[str]:
        forms = {"python": python, "python_output": output, "text": text}
        return [forms[part["type"]].format(escape(part["text"])) for part in self.parts]


Block = Heading | Text | Table | Chart | Dialog


def write_report(folder: Path, title: str, blocks: Sequence[Block]) -> tuple[Path, Path]:
    """Write `report.md` and `report.html` into the folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    markdown, page = folder / "report.md", folder / "report.html"
    text = "\n\n".join([f"# {title}", *(block.to_markdown(folder) for block in blocks)])
    markdown.write_text(text + "\n", encoding="utf-8")
    body = "\n".join([f"<h1>{html.escape(title)}</h1>", *(block.to_html() for block in blocks)])
    page.write_text(PAGE.format(title=html.escape(title), style=STYLE, body=body), encoding="utf-8")
    return markdown, page


def smooth(points: Sequence[Point], window: int) -> list[Point]:
    """The means of `window` points in a row, each at the place of the last."""
    window = max(1, min(window, len(points)))
    return [
        (points[i][0], sum(y for _, y in points[i + 1 - window : i + 1]) / window)
        for i in range(window - 1, len(points))
    ]


def draw(chart: Chart) -> str:
    """The chart as an SVG document of its own."""
    values = [point for line in chart.lines.values() for point in line]
    if not values:
        return f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{TOP}'></svg>"

    def height(y: float) -> float:
        return math.log10(y) if chart.log_y else y

    # ranges of both axes
    x_low, x_high = _range([x for x, _ in values])
    y_low, y_high = _range([height(y) for _, y in values])

    def place(x: float, y: float) -> str:
        across = LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
        return f"{across:.1f},{down:.1f}"

    # grid and labels
    shapes = []
    for tick in _ticks(y_low, y_high):
        down = place(x_low, tick).split(",")[1]
        label = f"{10**tick:.3g}" if chart.log_y else f"{tick:.4g}"
        shapes.append(f"<line class='grid' x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{down}' y2='{down}'/>")
        shapes.append(f"<text x='{LEFT - 8}' y='{float(down) + 4}' text-anchor='end'>{label}</text>")
    for tick in _ticks(x_low, x_high):
        across = place(tick, y_low).split(",")[0]
        shapes.append(
            f"<text x='{across}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle'>{_short(tick)}</text>"
        )
    # lines
    for i, (label, line) in enumerate(chart.lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(place(x, height(y)) for x, y in line)
        shapes.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.5'/>")
        if len(chart.lines) > 1:
            shapes.append(
                f"<text x='{WIDTH - RIGHT}' y='{TOP + 14 + 16 * i}' text-anchor='end' fill='{colour}'>"
                f"{html.escape(label)}</text>"
            )
    # titles
    title = f"<text x='{LEFT}' y='18' class='title'>{html.escape(chart.title)}</text>"
    x_label = (
        f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 6}' text-anchor='middle'>"
        f"{html.escape(chart.x_label)}</text>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' width='{WIDTH}' "
        f"height='{HEIGHT}' role='img'><style>{SVG_STYLE}</style>{title}{x_label}{''.join(shapes)}</svg>"
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers between low and high."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= 6)
    return [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _short(number: float) -> str:
    """12000 as 12k, 3000000 as 3M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.4g}{letter}"
    return f"{number:.4g}"


SVG_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#555} .title{font-weight:600;fill:#222;font-size:13px} "
    ".grid{stroke:#e5e5e5}"
)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 720px; margin: 2rem auto; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
table { border-collapse: collapse; }
td, th { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #e5e5e5; }
th { text-align: left; } td + td, th + th { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; }
code { background: #f2f2f2; padding: .1rem .3rem; border-radius: 3px; }
.dialog { border-left: 3px solid #ddd; padding-left: 1rem; margin: 1rem 0; } .dialog p { margin: .2rem 0; }
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
