"""Hints, one at a time or those taken so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bughunt.content.level import Bug, Level
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.results import Hint
from bughunt.hunt.score import worth
from bughunt.screens.document import document
from bughunt.views import Text, View


def hint(given: Hint, level: Level, progress: BugProgress) -> list[View]:
    """One hint, and what it leaves to be had."""
    bug = given.bug
    after = (
        f"Hint {given.number} of {len(bug.card.hints)}; {bug.id} is now worth "
        f"{worth(level, progress)} of {level.points} points."
    )
    if given.number == len(bug.card.hints):
        after += f" This was the last one: after it there is `bughunt solution {bug.id}`."
    return [_title(bug), Text(given.text), Text(after, "dim")]


def hints_again(bug: Bug, hints: Sequence[Hint], progress: BugProgress) -> list[View]:
    """The hints taken so far."""
    views: list[View] = [_title(bug), *(Text(f"{hint.number}. {hint.text}") for hint in hints)]
    if progress.solved:
        views.append(Text("The bug is fixed: hints cost nothing any more.", "dim"))
    elif not hints:
        views.append(Text(f"No hint taken yet. `bughunt hint {bug.id}` takes the first.", "dim"))
    elif len(hints) == len(bug.card.hints):
        after = f"That is every hint. After them there is `bughunt solution {bug.id}`."
        views.append(Text(after, "dim"))
    return views


def hints_document(bug: Bug, hints: Sequence[Hint], progress: BugProgress) -> dict[str, Any]:
    """The hints that were asked for."""
    shown = [{"number": hint.number, "text": hint.text} for hint in hints]
    of, taken = len(bug.card.hints), progress.hints
    return document("hint", {"bug": bug.id, "of": of, "taken": taken, "hints": shown})


def no_hints_document() -> dict[str, Any]:
    """The same when every bug of the level is fixed."""
    return document("hint", {"bug": None, "of": 0, "taken": 0, "hints": []})


def _title(bug: Bug) -> Text:
    return Text(f"{bug.id}  {bug.card.title}", "strong")
