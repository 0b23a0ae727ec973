"""Views in a terminal, through Rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table as RichTable
from rich.text import Text as RichText

from bughunt.render import plain
from bughunt.render.plot import MARKS, plot_lines
from bughunt.views import Code, Heading, Plot, Table, Text, Tokens, Tone, View

_STYLES: dict[Tone, str] = {
    "plain": "",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
    "dim": "dim",
    "strong": "bold",
}
_SERIES_STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")


def print_views(views: Iterable[View], stream: TextIO, width: int) -> None:
    """Prints the views with an empty line between them."""
    console = Console(file=stream, width=width, highlight=False)
    for index, view in enumerate(views):
        if index:
            console.print()
        console.print(_drawn(view, width))


def _drawn(view: View, width: int) -> RenderableType:
    match view:
        case Text():
            return RichText("\n".join(plain.wrap(view.text, width, view.indent)), style=_STYLES[view.tone])
        case Heading():
            return RichText(view.text, style="bold cyan")
        case Table():
            return _table(view)
        case Plot():
            return Group(RichText(view.title, style="bold"), _plot(view, width))
        case Tokens():
            return Group(
                RichText(view.title, style="bold"), _tokens(view), RichText(f"■ {view.legend}", "dim")
            )
        case Code():
            if view.language == "diff":
                return Syntax(view.text.rstrip("\n"), "diff", theme="ansi_dark", background_color="default")
            return Padding(RichText(view.text.rstrip("\n"), style="dim"), (0, 0, 0, 2))


def _table(view: Table) -> RichTable:
    table = RichTable(title=view.title or None, title_justify="left", title_style="bold")
    for column in view.columns:
        table.add_column(column, overflow="fold")
    for index, row in enumerate(view.rows):
        cells = [RichText(str(cell)) for cell in row]
        table.add_row(*cells, style=_STYLES[view.tones.get(index, "plain")])
    return table


def _plot(view: Plot, width: int) -> RichText:
    text = RichText("\n".join(plot_lines(view, width)))
    styles = dict(zip(MARKS, _SERIES_STYLES, strict=True))
    bar = text.plain.find("|")
    for position, character in enumerate(text.plain):
        column = position - (text.plain.rfind("\n", 0, position) + 1)
        if character in styles and column > bar:
            text.stylize(styles[character], position, position + 1)
    return text


def _tokens(view: Tokens) -> RichText:
    text = RichText()
    for token, mark in zip(view.tokens, view.marks, strict=True):
        text.append(token, style="black on green" if mark else "dim")
        text.append(" ")
    return text
