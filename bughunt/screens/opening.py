"""The opening of a level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bughunt.content.level import Bug
from bughunt.hunt.results import Started
from bughunt.screens.document import document
from bughunt.screens.rescues import rescued
from bughunt.views import Heading, Item, Text, View


def started(result: Started, here: Path) -> list[View]:
    """Where the code is, what its users noticed, what to do first."""
    level = result.level
    how = {"new": "", "resumed": f"{level.id} is taken up again. ", "fresh": f"{level.id} starts over. "}
    edit = ": edit it with any editor." if result.how == "new" else "."
    opening = f"{how[result.how]}The code is in {_shown(result.workspace, here)}{edit}"
    views: list[View] = [Heading(level.title), Text(level.blurb)]
    views += [Item(f"{bug.id}  {bug.card.title}", bug.card.symptom) for bug in level.bugs]
    views.append(Item(opening, tone="good"))
    if result.guided:
        views.append(Text("Guided: a comment “# bughunt …” stands above each function to look at.", "dim"))
    return [*views, *rescued(result.rescue), _first_commands(level.bugs[0])]


def started_document(result: Started) -> dict[str, Any]:
    level = result.level
    return document(
        "start",
        {
            "level": level.id,
            "how": result.how,
            "guided": result.guided,
            "workspace": str(result.workspace),
            "title": level.title,
            "blurb": level.blurb,
            "bugs": [
                {"bug": bug.id, "title": bug.card.title, "symptom": bug.card.symptom} for bug in level.bugs
            ],
            "set_aside": result.rescue.card() if result.rescue else None,
        },
    )


def _first_commands(first: Bug) -> Text:
    return Text(
        f"  bughunt probe {first.id}     measure the code and look at the numbers\n"
        f"  bughunt hint {first.id}      a hint, if you want one\n"
        "  bughunt check         judge your repairs"
    )


def _shown(path: Path, here: Path) -> str:
    try:
        return f"./{path.relative_to(here).as_posix()}"
    except ValueError:
        return str(path)
