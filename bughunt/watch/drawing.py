"""The lines of a watch's screen: bugs, keys, choices."""

from __future__ import annotations

import textwrap

from rich.text import Text as RichText

from bughunt.views import Text, View
from bughunt.watch.scene import Page, Scene, rest_line, standing

KEYS = (
    ("h", "hint"),
    ("p", "probe"),
    ("c", "check"),
    ("d", "diff"),
    ("r", "reset"),
    ("s", "solution"),
    ("n", "next"),
    ("q", "quit"),
    ("↑↓", "bug"),
)

CSS = """
Screen { background: transparent; }
#headline { height: 1; text-style: bold; padding: 0 1; }
#bugs { height: auto; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#warnings { height: auto; max-height: 6; padding: 0 1; }
#page { height: 1fr; padding: 0 1; border-top: solid ansi_default; background: transparent;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable; scrollbar-color: ansi_bright_black;
        scrollbar-background: ansi_default; }
#text { height: auto; }
#keys { height: auto; max-height: 5; padding: 0 1; text-style: bold; }
"""

PADDING_COLUMNS = 2
SCROLLBAR_COLUMNS = 1

_STYLES = {"fixed": "green", "broken": "red", "crashed": "red", "unknown": "yellow"}


def bug_lines(scene: Scene, selected: int, seconds: int) -> RichText:
    """A line for each bug; `seconds` is how long the running check has taken so far."""
    lines = []
    for index, row in enumerate(scene.rows):
        mark = ">" if index == selected else " "
        said = f"{standing(row, scene, seconds):<13} "
        style = _STYLES.get(row.kind or "", "dim")
        line = RichText.assemble(f"{mark} {row.bug.id}  ", (said, style), row.bug.card.title, no_wrap=True)
        if index == selected:
            line.stylize("bold")
        lines.append(line)
    if said := rest_line(scene):
        style = "red" if scene.broken else "dim"
        lines.append(RichText(f"       {said}", style=style, no_wrap=True))
    return RichText("\n").join(lines)


def keys_line(width: int) -> str:
    """The keys and what they do, in lines that never part a key from its word."""
    words = "  ".join(f"{key}\N{NO-BREAK SPACE}{what}" for key, what in KEYS)
    return "\n".join(textwrap.wrap(words, width)).replace("\N{NO-BREAK SPACE}", " ")


def choices(page: Page) -> list[View]:
    """The keys that answer the page's question."""
    if not page.choices:
        return []
    lines = [f"  {choice.key}    {choice.label}" for choice in page.choices]
    return [Text("\n".join([*lines, "  Esc  leaves everything as it is"]), "strong")]
