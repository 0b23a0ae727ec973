"""Where the hunt stands, and the one next step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bughunt.content.level import Bug, Level
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.rest import titles_of
from bughunt.hunt.score import earned, score, worth
from bughunt.hunt.started import StartedLevel
from bughunt.hunt.state import State
from bughunt.screens.document import document
from bughunt.screens.tones import VERDICT_TONES
from bughunt.views import Heading, Item, Table, Text, Tone, View


def no_hunt() -> list[View]:
    """What `bughunt` alone says where no hunt has been begun."""
    return [
        Heading("bughunt"),
        Text("A small, complete LLM code base with bugs in it: find them, repair them."),
        Text("There is no hunt in this folder yet."),
        Text("Next: `bughunt start level1` begins one here; `bughunt levels` shows them all."),
    ]


def status(hunt: Hunt, state: State) -> list[View]:
    """Where the hunt stands, and what to do next."""
    levels = hunt.all_started(state)
    pairs = [(started.level, bug) for started in levels for bug in started.level.bugs]
    rows: list[Sequence[object]] = []
    tones: dict[int, Tone] = {}
    for level, bug in pairs:
        progress = state.bug(bug.id)
        hints = f"{min(progress.hints, len(bug.card.hints))} of {len(bug.card.hints)}"
        tones[len(rows)] = VERDICT_TONES[progress.verdict]
        rows.append(
            (bug.id, bug.card.title, progress.verdict or "not checked", hints, points(level, progress))
        )
    views: list[View] = []
    if rows:
        views.append(Table(("bug", "what", "verdict", "hints", "points"), rows, tones=tones))
    for started in levels:
        views += _broken_besides(started.level, state)
        views += _where(started, active=started.level.id == state.active)
    total = score(hunt.catalog.levels, state)
    views.append(Text(f"Score: {total.earned} of {total.most} points."))
    return [*views, next_step(hunt, state)]


def points(level: Level, progress: BugProgress) -> str:
    """The points of one bug: those earned, or in brackets those still to be had."""
    return f"{earned(level, progress)}" if progress.solved else f"({worth(level, progress)})"


def next_step(hunt: Hunt, state: State) -> Text:
    """The one command to run next."""
    if state.active is None:
        return Text(f"Next: `bughunt start {hunt.catalog.levels[0].id}`")
    bug = hunt.next_bug(state)
    if bug is not None and not hunt.started(hunt.catalog.level_of(bug), state).is_there:
        return Text(f"Next: `bughunt start {state.active}`")
    if bug is not None:
        progress = state.bug(bug.id)
        if progress.verdict is None and progress.hints == 0:
            first = f"Next: `bughunt probe {bug.id}` measures what {bug.id} is about"
            return Text(f"{first}; then edit and `bughunt check`")
        return Text(f"Next: edit the code and run `bughunt check {bug.id}`, or `bughunt hint {bug.id}`")
    if any(level.id == state.active and not state.is_complete(level) for level in hunt.catalog.levels):
        return Text("Next: repair what is broken besides the bugs, and run `bughunt check`")
    levels = hunt.catalog.levels
    untouched = [level for level in levels if level.id not in state.levels]
    unfinished = [level for level in levels if not state.is_complete(level)]
    for following in [*untouched, *unfinished]:
        return Text(f"Next: `bughunt start {following.id}`")
    return Text("Every bug of every level is fixed. There is nothing left to hunt.", "good")


def all_fixed(hunt: Hunt, state: State) -> list[View]:
    """What a command for the next bug says when there is none."""
    return [Text("Every bug of this level is fixed.", "good"), next_step(hunt, state)]


def status_document(hunt: Hunt, state: State) -> dict[str, Any]:
    """The hunt: its levels, each with its workspace's absolute path, and their bugs."""
    following = hunt.next_bug(state) if state.active is not None else None
    total = score(hunt.catalog.levels, state)
    return document(
        "status",
        {
            "hunt": str(hunt.folder),
            "active": state.active,
            "levels": [_level(started, state) for started in hunt.all_started(state)],
            "next": following.id if following else None,
            "score": total.earned,
            "points": total.most,
        },
    )


def fixed_count(level: Level, state: State) -> dict[str, int]:
    """How many bugs of a level are fixed now, of how many."""
    return {"fixed": sum(state.bug(bug.id).fixed for bug in level.bugs), "total": len(level.bugs)}


def _broken_besides(level: Level, state: State) -> list[View]:
    titles = titles_of(state.regressions(level.id)).values()
    return (
        [Item(f"{level.id}: no longer as it was", "\n".join(f"- {title}" for title in titles), "bad")]
        if titles
        else []
    )


def _where(started: StartedLevel, *, active: bool) -> list[View]:
    level, path = started.level, started.path
    if started.is_in_the_way:
        return [Text(f"{path} is in the way: it is not a workspace of this game. Move it.", "warn")]
    if not started.is_there:
        gone = f"The workspace {path} is gone. Run `bughunt start {level.id}` to make it again."
        return [Text(gone, "warn")]
    return [Item(f"Playing {level.id} ({level.name}) in {path}", tone="plain")] if active else []


def _level(started: StartedLevel, state: State) -> dict[str, Any]:
    level, record = started.level, started.record
    total = score([level], state)
    return {
        "level": level.id,
        "name": level.name,
        "workspace": str(started.path),
        "exists": started.is_there,
        "current": started.is_current,
        "started": record.started,
        "guided": record.guided,
        **fixed_count(level, state),
        "regressions": [
            {"clause": slug, "title": title} for slug, title in titles_of(state.regressions(level.id)).items()
        ],
        "complete": state.is_complete(level),
        "score": total.earned,
        "points": total.most,
        "bugs": [_bug(level, bug, state.bug(bug.id)) for bug in level.bugs],
    }


def _bug(level: Level, bug: Bug, progress: BugProgress) -> dict[str, Any]:
    return {
        "bug": bug.id,
        "title": bug.card.title,
        "symptom": bug.card.symptom,
        "verdict": progress.verdict,
        "fixed_at": progress.solved_at,
        "hints_taken": progress.hints,
        "hints": len(bug.card.hints),
        "checks": progress.checks,
        "solution_opened": progress.solution_opened,
        "worth": worth(level, progress),
        "earned": earned(level, progress),
    }
