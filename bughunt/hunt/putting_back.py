"""Putting files back: to the start of the level, or to what a rescue kept."""

from __future__ import annotations

from contextlib import suppress

from bughunt.content.level import Bug, Level
from bughunt.hunt import events
from bughunt.hunt.results import Reset, Restored
from bughunt.hunt.started import StartedLevel, in_the_way, rescues_in, sharing_files
from bughunt.hunt.state import (
    LevelRecord,
    State,
    UnusableError,
    carried_progress,
    level_record,
    level_snapshot,
)
from bughunt.hunt.store import Change, Store


def plan_reset(state: State, started: StartedLevel, bug: Bug | None) -> Reset:
    """What a reset of `bug`, or of all of the level, is going to do, for the player to read first."""
    level = started.current().level
    started.workspace.expect_overwritable(bug.files if bug else None)
    reopened = tuple(
        other.id for other in _concerned(level, bug) if other is not bug and state.bug(other.id).fixed
    )
    return Reset(level, bug, bug.files if bug else (), reopened)


def reset(store: Store, started: StartedLevel, plan: Reset) -> Reset:
    """Carries out a plan: rescues the player's edits, then puts the files back."""
    from bughunt.workspace.workspace import Operation

    level, bug = plan.level, plan.bug
    of, command = (f" of {bug.id}", f"bughunt reset {bug.id}") if bug else ("", "bughunt reset")
    with store.update() as change:
        rescue = started.current().workspace.reset(
            rescues_in(store.folder),
            Operation(f"reset{of}", command),
            level_snapshot(change.state, level.id),
            plan.files if bug else None,
        )
        bugs = tuple(one.id for one in _concerned(level, bug))
        change.note(events.Reset(level=level.id, bugs=bugs, whole=bug is None))
    return Reset(level, bug, plan.files, plan.reopened, rescue)


def restore(store: Store, level: Level, name: str | None) -> Restored:
    """Brings a rescue back (the newest without a name)."""
    from bughunt.workspace.workspace import Operation

    rescues = rescues_in(store.folder)
    wanted = rescues.find(name)
    operation = Operation(f"restore of {wanted.id}", f"bughunt restore {wanted.id}")
    with store.update() as change:
        levels = change.state.levels
        if level.id not in levels:
            levels[level.id] = LevelRecord(workspace=level.id, version=level.version, started=events.now())
        started = StartedLevel(level, levels[level.id], store.folder)
        if started.is_in_the_way:
            raise in_the_way(started.path)
        if not started.is_there:
            started.workspace.create()
        rescue = started.workspace.bring_back(
            rescues, wanted, operation, level_snapshot(change.state, level.id)
        )
        if wanted.whole:
            _take_back(change, level, wanted.progress)
        bugs = tuple(bug.id for bug in level.bugs)
        change.note(events.Restore(level=level.id, rescue=wanted.id, bugs=bugs))
    return Restored(wanted, rescue)


def _concerned(level: Level, bug: Bug | None) -> list[Bug]:
    return list(level.bugs) if bug is None else sharing_files(level, bug)


def _take_back(change: Change, level: Level, snapshot: dict[str, object]) -> None:
    """The level's record as a rescue kept it; and what an earlier version of the game had counted by then."""
    with suppress(UnusableError):
        if snapshot.get("level"):
            change.state.levels[level.id] = level_record(level.id, snapshot["level"])
        for event in carried_progress(snapshot.get("bugs", {})):
            change.note(event)
