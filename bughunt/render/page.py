"""Views as a file: one HTML page that needs nothing else, or one SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bughunt.disk.files import write_atomically
from bughunt.disk.places import reason
from bughunt.errors import BughuntError
from bughunt.render import plain
from bughunt.render.chart import HEIGHT, WIDTH, chart
from bughunt.views import Code, Heading, Item, Plot, Table, Text, Tokens, View

_LINE = 17
_COLUMNS = 92


def save(views: Sequence[View], path: Path, title: str) -> None:
    """Writes the views to `path`: a page for `.html`, a picture for `.svg`. Raises BughuntError otherwise."""
    writers = {".html": html_page, ".svg": svg_picture}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise BughuntError(
            f"“{path.name}” cannot be saved.", f"Give a name that ends in {' or '.join(writers)}."
        )
    document = writer(views, title).encode()
    try:
        write_atomically(path, document)
    except OSError as error:
        raise BughuntError(
            f"{path} cannot be written: {reason(path, error)}.", "Choose another place."
        ) from error


def html_page(views: Sequence[View], title: str) -> str:
    """A complete HTML document."""
    body = "\n".join(_html(view) for view in views)
    return _PAGE.format(title=escape(title), body=body)


def svg_picture(views: Sequence[View], title: str) -> str:
    """One picture with the views below each other: plots drawn, all else as text."""
    y, drawn = 30.0, [f'<text x="16" y="22" font-weight="bold">{escape(title)}</text>']
    for view in views:
        if isinstance(view, Plot):
            drawn.append(f'<g transform="translate(0 {y:.0f})">{chart(view)}</g>')
            y += HEIGHT
            continue
        for line in plain.lines(view, _COLUMNS):
            y += _LINE
            drawn.append(f'<text x="16" y="{y:.0f}" xml:space="preserve">{escape(line)}</text>')
        y += _LINE
    size = f'width="{WIDTH}" height="{y + 10:.0f}" viewBox="0 0 {WIDTH} {y + 10:.0f}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="monospace" font-size="12">',
            '<rect width="100%" height="100%" fill="white"/>',
            *drawn,
            "</svg>\n",
        ]
    )


def _html(view: View) -> str:
    match view:
        case Text():
            paragraphs = view.text.strip("\n").split("\n\n")
            return "\n".join(f'<p class="{view.tone}">{escape(text)}</p>' for text in paragraphs)
        case Item():
            below = "".join(f"<p>{escape(text)}</p>" for text in view.text.split("\n\n") if text)
            return f'<section><p class="{view.tone}">{escape(view.lead)}</p>{below}</section>'
        case Heading():
            return f"<h2>{escape(view.text)}</h2>"
        case Table():
            return _html_table(view)
        case Plot():
            return f"<figure>{chart(view)}</figure>"
        case Tokens():
            words = " ".join(
                f"<mark>{escape(token)}</mark>" if mark else f"<span>{escape(token)}</span>"
                for token, mark in zip(view.tokens, view.marks, strict=True)
            )
            legend = f"<figcaption><mark>&nbsp;</mark> {escape(view.legend)}</figcaption>"
            return f"<h3>{escape(view.title)}</h3><figure><code>{words}</code>{legend}</figure>"
        case Code():
            return f"<pre>{escape(view.text)}</pre>"


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "\n".join(
        f'<tr class="{table.tones.get(index, "plain")}">'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in row)
        + "</tr>"
        for index, row in enumerate(table.rows)
    )
    title = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table>"


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #212529; }}
table {{ border-collapse: collapse; margin: 1rem 0; }}
caption {{ text-align: left; font-weight: bold; padding: .3rem 0; }}
th, td {{ border-bottom: 1px solid #dee2e6; padding: .3rem .8rem .3rem 0; text-align: left; }}
td {{ vertical-align: top; white-space: pre-line; }}
figure {{ margin: 1rem 0; overflow-x: auto; }}
pre {{ background: #f8f9fa; padding: 1rem; overflow-x: auto; }}
mark {{ background: #b2f2bb; }}
.good {{ color: #2b8a3e; }} .bad {{ color: #c92a2a; }} .warn {{ color: #a35200; }} .dim {{ color: #868e96; }}
p {{ white-space: pre-line; }}
.strong, section > p:first-child {{ font-weight: bold; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""
