"""Views in a terminal, through Rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text as RichText

from bughunt.render import plain
from bughunt.render.plot import MARKS, plot_lines
from bughunt.views import Code, Heading, Item, Plot, Table, Text, Tokens, Tone, View

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
        # All but tables is laid out already; what is longer than a line is broken by the terminal.
        console.print(drawn(view, width), soft_wrap=not isinstance(view, Table))


def drawn(view: View, width: int) -> RenderableType:
    """One view, for a place `width` columns wide."""
    match view:
        case Text():
            return RichText("\n".join(plain.wrap(view.text, width, view.indent)), style=_STYLES[view.tone])
        case Item():
            body = "".join(
                "\n" + line for line in plain.wrap(view.text, width, plain.ITEM_INDENT) if view.text
            )
            return RichText.assemble((view.lead, _STYLES[view.tone]), body)
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
            return _diff(view) if view.language == "diff" else RichText(view.text.rstrip("\n"), style="dim")


def _table(view: Table) -> RichTable:
    table = RichTable(
        title=view.title or None,
        title_justify="left",
        title_style="bold",
        show_header=any(view.columns),
    )
    for column in view.columns:
        table.add_column(column, overflow="fold")
    for index, row in enumerate(view.rows):
        cells = [RichText(str(cell)) for cell in row]
        table.add_row(*cells, style=_STYLES[view.tones.get(index, "plain")])
    return table


def _diff(view: Code) -> RichText:
    text = RichText()
    for line in view.text.splitlines(keepends=True):
        heading = line.startswith(("---", "+++", "@@"))
        style = "bold" if heading else {"+": "green", "-": "red"}.get(line[:1], "")
        text.append(line, style=style)
    text.rstrip()
    return text


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
