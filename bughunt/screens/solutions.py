"""The fix, why it matters, and what the bug costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bughunt.content.cost_record import load_cost
from bughunt.content.level import Bug, Level
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.results import Solution
from bughunt.hunt.score import worth
from bughunt.screens.document import document
from bughunt.views import Code, Heading, Item, Table, Text, View


def solution(result: Solution) -> list[View]:
    """The fix, and why it matters."""
    card = result.bug.card
    return [
        Heading(f"{result.bug.id}  {card.title}"),
        Text("One right fix (yours may look different):"),
        Code(result.diff, "diff"),
        Text(card.why),
        Table(("", ""), (("pattern", card.pattern), ("consequence", card.consequence))),
        *cost(result.bug),
    ]


def solution_refused(bug: Bug, level: Level, progress: BugProgress) -> list[View]:
    """What is said the first time the solution of an unsolved bug is asked for."""
    message, step = _refusal(bug, level, progress)
    return [Item(message, f"To open it all the same, ask once more: `{step}`", "warn")]


def solution_document(
    bug: Bug, level: Level, progress: BugProgress, result: Solution | None
) -> dict[str, Any]:
    """The solution; where it is not shown, what the next call of the same command will do, and its price."""
    if result is None:
        message, step = _refusal(bug, level, progress)
        said = {"message": message, "step": f"{step} --json", "price": worth(level, progress)}
        return document("solution", {"bug": bug.id, "shown": False, **said})
    card, measured = bug.card, load_cost(bug.folder)
    return document(
        "solution",
        {
            "bug": bug.id,
            "shown": True,
            "free": result.free,
            "diff": result.diff,
            "why": card.why,
            "pattern": card.pattern,
            "consequence": card.consequence,
            "cost": asdict(measured) if measured else None,
        },
    )


def cost(bug: Bug) -> list[View]:
    """What whole runs with the bug came to, beside healthy ones."""
    measured = load_cost(bug.folder)
    if measured is None:
        return []
    rows = [figure.row for figure in measured.figures]
    return [
        Text("What it costs", "strong"),
        Text(bug.card.cost),
        Table(("the same run of the recipe", "without the bug", "with it"), rows),
        *([measured.plot] if measured.plot else []),
        Text(f"`bughunt dev cost {bug.id}` measures this again.", "dim"),
    ]


def _refusal(bug: Bug, level: Level, progress: BugProgress) -> tuple[str, str]:
    message = f"{bug.id} is not fixed yet. Opening its solution takes its {worth(level, progress)} points."
    return message, f"bughunt solution {bug.id}"
