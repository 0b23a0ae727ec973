"""The one way from a command to the screen, and to the hunt that it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.errors import BughuntError

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hunt
    from bughunt.views import View

_opened: list[Hunt] = []


def here() -> Path:
    """The current folder."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise BughuntError(
            "The current folder does not exist any more.", "Change to one that does."
        ) from None


def find_hunt() -> Hunt | None:
    """The hunt that the current folder lies in. What it has to tell is shown when the command ends."""
    from bughunt.hunt.hunt import Hunt

    hunt = Hunt.find(here())
    if hunt is not None:
        _opened.append(hunt)
    return hunt


def found_or_new_hunt() -> Hunt:
    """The hunt that the current folder lies in, or one that begins there."""
    from bughunt.hunt.hunt import Hunt

    hunt = find_hunt()
    if hunt is None:
        hunt = Hunt(here())
        _opened.append(hunt)
    return hunt


def open_hunt() -> Hunt:
    """The hunt that the current folder lies in. Raises BughuntError where there is none."""
    hunt = find_hunt()
    if hunt is None:
        raise BughuntError(
            "There is no hunt here: no .bughunt folder in this folder or above it.",
            "Go to your hunt's folder, or run `bughunt start level1` to begin one here.",
        )
    return hunt


def show_notices() -> None:
    """What happened to a state goes to standard error, however the command ends."""
    from bughunt.views import Text

    for hunt in _opened:
        show([Text(notice, "warn") for notice in hunt.store.notices], error=True)
    _opened.clear()


def show(views: Iterable[View], *, error: bool = False) -> None:
    from bughunt.render import show as draw

    draw(views, error=error)


def show_or_save(views: Sequence[View], path: Path | None, title: str) -> None:
    """Shows the views below a title, or writes them to a file."""
    from bughunt.views import Heading, Text

    if path is None:
        show([Heading(title), *views])
        return
    from bughunt.render.page import save

    save(views, path, title)
    show([Text(f"Saved as {path}", "good")])


def answer(
    as_json: bool, document: Callable[[], dict[str, Any]], views: Callable[[], Iterable[View]]
) -> None:
    """Prints the one or the other."""
    if as_json:
        print_json(document())
    else:
        show(views())


def print_json(document: dict[str, Any]) -> None:
    """Prints a document; with what there is to tell of the hunt, if anything, for whoever reads no more."""
    from bughunt.render import show_text

    notices = [notice for hunt in _opened for notice in hunt.store.notices]
    if notices:
        document = {**document, "notices": notices}
    show_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def finish() -> None:
    """Sees to it that all was written that was to be."""
    from bughunt.render import finish as flush

    flush()
