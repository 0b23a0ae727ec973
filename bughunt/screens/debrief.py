"""What a player takes away: from one level, and from the whole game."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bughunt.content.catalog import Catalog
from bughunt.content.cost_record import load_cost
from bughunt.content.level import Bug, Level
from bughunt.hunt.rest import titles_of
from bughunt.hunt.score import earned, score
from bughunt.hunt.state import State
from bughunt.screens.document import document
from bughunt.views import Heading, Item, Table, Text, View

LEARNT = (
    "the anatomy of a transformer, from the bytes of a text to the tokens of an answer",
    "debugging PyTorch by what can be observed: shapes, dtypes, gradients, memory",
    "care with detail: one line, one sign, one index",
    "reasoning about training dynamics, and what today's optimizers hide",
)


def level_debrief(level: Level, state: State) -> list[View]:
    """Patterns met, what each bug would have cost, hints and time used, strategies for next time."""
    rows = []
    for bug in level.bugs:
        progress = state.bug(bug.id)
        rows.append(
            (
                bug.id,
                bug.card.pattern if progress.solved else "(not fixed yet)",
                bug.card.consequence if progress.solved else "",
                progress.hints,
                progress.checks,
                f"{earned(level, progress)}/{level.points}",
            )
        )
    views: list[View] = [
        Heading(f"Debrief: {level.title}"),
        Table(("bug", "pattern", "in production", "hints", "checks", "points"), rows),
        *_costs([bug for bug in level.bugs if state.bug(bug.id).solved]),
    ]
    minutes = minutes_used(level, state)
    if minutes is not None:
        laid_out = f"(this level is laid out for {level.minutes})"
        views.append(Text(f"From the start to the last fix: {minutes} min {laid_out}."))
    for bug in level.bugs:
        if state.bug(bug.id).elsewhere:
            places = " and ".join(f"{place.function} in {place.file}" for place in bug.card.where)
            views.append(Text(f"{bug.id} was repaired from elsewhere: the defect itself is in {places}."))
    if broken := titles_of(state.regressions(level.id)):
        lines = "\n".join(f"- {title}" for title in broken.values())
        views.append(Item("Broken besides, and not repaired yet:", lines, "bad"))
    strategies = "\n".join(f"- {strategy}" for strategy in level.strategies)
    views.append(Item("What helps, here and elsewhere:", strategies))
    return views


def game_debrief(catalog: Catalog, state: State) -> list[View]:
    """The whole game: every level that has been started, then the sum of it."""
    started = [level for level in catalog.levels if level.id in state.levels]
    views: list[View] = []
    for level in started:
        views += level_debrief(level, state)
    fixed = [(level, bug) for level in catalog.levels for bug in level.bugs if state.bug(bug.id).solved]
    total = sum(len(level.bugs) for level in catalog.levels)
    points = score(catalog.levels, state)
    views += [
        Heading("The whole game"),
        Text(f"{len(fixed)} of {total} bugs fixed, {points.earned} of {points.most} points."),
    ]
    if fixed:
        views += [
            _grouped("Patterns met", "pattern", [(bug.card.pattern, bug.id) for _, bug in fixed]),
            _grouped(
                "In production", "would have meant", [(bug.card.consequence, bug.id) for _, bug in fixed]
            ),
        ]
    if len(fixed) == total:
        views.append(Item("Whoever has fixed them all has shown:", "\n".join(f"- {one}" for one in LEARNT)))
    return views


def notices(said: Sequence[str]) -> list[View]:
    """What a page that is kept should say of the hunt that it is about."""
    return [Text(notice, "warn") for notice in said]


def after_debrief() -> Text:
    """Where to read on when a level is done."""
    return Text(
        "Why each bug matters: `bughunt solution BUG`, free now. All levels: `bughunt debrief`.", "dim"
    )


def debrief_document(catalog: Catalog, state: State) -> dict[str, Any]:
    """Of every level that has been started, what was met and what it took."""
    total = score(catalog.levels, state)
    levels = [
        {
            "level": level.id,
            "title": level.title,
            "minutes_used": minutes_used(level, state),
            "minutes": level.minutes,
            "score": score([level], state).earned,
            "points": score([level], state).most,
            "bugs": [_bug(level, bug, state) for bug in level.bugs],
            "regressions": [
                {"clause": slug, "title": title}
                for slug, title in titles_of(state.regressions(level.id)).items()
            ],
            "strategies": list(level.strategies),
        }
        for level in catalog.levels
        if level.id in state.levels
    ]
    return document("debrief", {"levels": levels, "score": total.earned, "points": total.most})


def _bug(level: Level, bug: Bug, state: State) -> dict[str, Any]:
    progress = state.bug(bug.id)
    cost = load_cost(bug.folder) if progress.solved else None
    return {
        "bug": bug.id,
        "title": bug.card.title,
        "fixed_at": progress.solved_at,
        "pattern": bug.card.pattern if progress.solved else None,
        "consequence": bug.card.consequence if progress.solved else None,
        "cost": list(cost.figures[0].row) if cost else None,
        "elsewhere": progress.elsewhere,
        "hints_taken": progress.hints,
        "checks": progress.checks,
        "solution_opened": progress.solution_opened,
        "earned": earned(level, progress),
    }


def minutes_used(level: Level, state: State) -> int | None:
    """Whole minutes from the start of the level to its last first fix; None where the state cannot tell."""
    record = state.levels.get(level.id)
    solved = [state.bug(bug.id).solved_at for bug in level.bugs]
    if record is None or None in solved:
        return None
    try:
        started = datetime.fromisoformat(state.first_start(level.id) or record.started)
        last = max(datetime.fromisoformat(time) for time in solved if time is not None)
        return max(0, round((last - started).total_seconds() / 60))
    except (ValueError, TypeError):
        return None


def _costs(fixed: Sequence[Bug]) -> list[View]:
    """What a whole run with each of these bugs came to: the first of its figures."""
    costs = [(bug, load_cost(bug.folder)) for bug in fixed]
    rows = [(bug.id, *cost.figures[0].row) for bug, cost in costs if cost]
    return [Table(("bug", "measured over a whole run", "without it", "with it"), rows)] if rows else []


def _grouped(title: str, column: str, pairs: Sequence[tuple[str, str]]) -> Table:
    names = dict.fromkeys(name for name, _ in pairs)
    rows = [(name, ", ".join(bug for other, bug in pairs if other == name)) for name in names]
    return Table((column, "bugs"), rows, title=title)
