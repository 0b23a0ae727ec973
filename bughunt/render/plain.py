"""Views as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from bughunt.render.plot import plot_lines
from bughunt.views import Code, Heading, Item, Plot, Table, Text, Tokens, View

ITEM_INDENT = 5
_GAP = "  "


def draw(views: Iterable[View], width: int) -> str:
    """The views below each other, each at most `width` columns wide, with an empty line between them."""
    return "\n".join("\n".join(lines(view, width)) + "\n" for view in views)


def lines(view: View, width: int) -> list[str]:
    """One view as lines of text."""
    match view:
        case Text():
            return wrap(view.text, width, view.indent)
        case Item():
            return [view.lead, *(wrap(view.text, width, ITEM_INDENT) if view.text else [])]
        case Heading():
            return [*wrap(view.text, width), "-" * min(width, len(view.text))]
        case Table():
            return _titled(view.title, _table(view, width))
        case Plot():
            return _titled(view.title, plot_lines(view, width))
        case Tokens():
            return _titled(view.title, [*_tokens(view, width), *wrap(f"([ ]: {view.legend})", width)])
        case Code():
            return view.text.rstrip("\n").split("\n")


def wrap(text: str, width: int, indent: int = 0) -> list[str]:
    """Paragraphs wrapped to `width`: lists of lines that begin with "- " stay lists, and a paragraph in
    which a line begins with spaces stays as it stands."""
    margin = " " * indent
    wrapped: list[str] = []
    for paragraph in text.strip("\n").split("\n\n"):
        block = paragraph.split("\n")
        if any(line.startswith(" ") for line in block):
            wrapped += [margin + line for line in block]
        elif all(line.startswith("- ") for line in block):
            for line in block:
                wrapped += _filled(line, width, margin, margin + "  ")
        else:
            wrapped += _filled(" ".join(block), width, margin, margin)
        wrapped.append("")
    return wrapped[:-1]


def _filled(text: str, width: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )


def column_widths(table: Table, width: int, overhead: int) -> list[int]:
    """The width of each column; where the table is too wide, its widest columns give way."""
    cells = [list(table.columns), *([str(cell) for cell in row] for row in table.rows)]
    widths = [
        min(width, max(len(part) for row in cells for part in row[i].split("\n")))
        for i in range(len(table.columns))
    ]
    while sum(widths) + overhead > width and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return widths


def _titled(title: str, body: list[str]) -> list[str]:
    return [title, *body] if title else body


def _table(table: Table, width: int) -> list[str]:
    widths = column_widths(table, width, len(_GAP) * (len(table.columns) - 1))
    drawn = []
    if any(table.columns):
        drawn = [*_row(list(table.columns), widths), _GAP.join("-" * size for size in widths)]
    for row in table.rows:
        drawn += _row([str(cell) for cell in row], widths)
    return drawn


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [
        [part for line in cell.split("\n") for part in (textwrap.wrap(line, size) or [""])]
        for cell, size in zip(cells, widths, strict=True)
    ]
    height = max(len(part) for part in wrapped)
    return [
        _GAP.join(
            (part[i] if i < len(part) else "").ljust(size) for part, size in zip(wrapped, widths, strict=True)
        ).rstrip()
        for i in range(height)
    ]


def _tokens(view: Tokens, width: int) -> list[str]:
    words = [f"[{token}]" if mark else token for token, mark in zip(view.tokens, view.marks, strict=True)]
    return textwrap.wrap(" ".join(words), width, break_long_words=False, break_on_hyphens=False)
