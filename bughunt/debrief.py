"""What a player takes away from a finished level."""

from __future__ import annotations

from datetime import datetime

from bughunt import score
from bughunt.catalog import Level
from bughunt.progress import BugProgress, State
from bughunt.views import Heading, Item, Table, Text, View


def level_debrief(level: Level, state: State) -> list[View]:
    """Patterns met, what each bug would have cost, hints and time used, strategies for next time."""
    rows = []
    for bug in level.bugs:
        progress = state.bugs.get(bug.id, BugProgress())
        rows.append(
            (
                bug.id,
                bug.card.pattern,
                bug.card.consequence,
                progress.hints,
                progress.checks,
                f"{score.earned(level, progress)}/{level.points}",
            )
        )
    views: list[View] = [
        Heading(f"Debrief: {level.title}"),
        Table(("bug", "pattern", "in production", "hints", "checks", "points"), rows),
    ]
    minutes = minutes_used(level, state)
    if minutes is not None:
        views.append(
            Text(
                f"From the start to the last fix: {minutes} min (this level is laid out for {level.minutes})."
            )
        )
    strategies = "\n\n".join(f"- {strategy}" for strategy in level.strategies)
    views.append(Item("What helps, here and elsewhere:", strategies))
    views.append(
        Text(
            f"Why each bug matters: `bughunt solution {level.bugs[0].id}`, and so on; it is free now.", "dim"
        )
    )
    return views


def minutes_used(level: Level, state: State) -> int | None:
    """Whole minutes from the start of the level to its last first fix; None where the state cannot tell."""
    record = state.levels.get(level.id)
    fixed = [state.bugs.get(bug.id, BugProgress()).fixed_at for bug in level.bugs]
    if record is None or None in fixed:
        return None
    try:
        last = max(datetime.fromisoformat(time) for time in fixed if time is not None)
        return max(0, round((last - datetime.fromisoformat(record.started)).total_seconds() / 60))
    except (ValueError, TypeError):
        return None
