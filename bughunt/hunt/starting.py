"""Starting a level: anew, from where it was, or over."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bughunt.content.level import Level
from bughunt.disk.kinds import kind_of
from bughunt.errors import BughuntError
from bughunt.hunt import events
from bughunt.hunt.edits import files_hash
from bughunt.hunt.results import Started
from bughunt.hunt.started import in_the_way, rescues_in, workspace_at
from bughunt.hunt.state import LevelRecord, level_snapshot
from bughunt.hunt.store import Change, Store


def start(store: Store, level: Level, *, fresh: bool, guided: bool) -> Started:
    """Makes the level's workspace, or takes an existing one up again; `fresh` starts it over."""
    from bughunt.workspace.git import require_git

    require_git()
    with store.update() as change:
        record = change.state.levels.get(level.id)
        path = store.folder.parent / (record.workspace if record else level.id)
        there = kind_of(path)
        ours = there == "folder" and (record is not None or _looks_made_by_us(path))
        if not ours and there is not None:
            raise in_the_way(path)
        if not ours:
            started = _create(store, change, level, path, guided)
        elif fresh:
            started = _start_over(store, change, level, path, guided)
        else:
            if record is None:
                store.tell(
                    f"{path} was here before, but this hunt has no record of it: what was paid and earned "
                    "for it is not known, and not counted."
                )
            started = _take_up(change, level, path, guided)
        change.state.active = level.id
        return started


def _create(store: Store, change: Change, level: Level, path: Path, guided: bool) -> Started:
    workspace_at(path, level, store.folder, guided=guided).create()
    _note(change, level, path, guided, "new")
    return Started(level, path, "new", guided)


def _start_over(store: Store, change: Change, level: Level, path: Path, guided: bool) -> Started:
    from bughunt.workspace.workspace import Operation

    command = f"bughunt start {level.id} --fresh" + (" --guided" if guided else "")
    rescue = workspace_at(path, level, store.folder, guided=guided).reset(
        rescues_in(store.folder), Operation("fresh start", command), level_snapshot(change.state, level.id)
    )
    _note(change, level, path, guided, "fresh")
    return Started(level, path, "fresh", guided, rescue)


def _take_up(change: Change, level: Level, path: Path, guided: bool) -> Started:
    known = change.state.levels.get(level.id)
    was_guided = known.guided if known else _is_guided(path, level)
    if guided and not was_guided:
        raise BughuntError(
            f"{level.id} has already been started without --guided.",
            f"Run `bughunt start {level.id} --guided --fresh` to start it over; your edits are kept.",
        )
    _note(change, level, path, was_guided, "resumed")
    return Started(level, path, "resumed", was_guided)


def _note(
    change: Change, level: Level, path: Path, guided: bool, how: Literal["new", "resumed", "fresh"]
) -> None:
    """Writes the start down; of a level taken up again, the record stays as it is."""
    record = change.state.levels.get(level.id)
    if record is None or how != "resumed":
        record = LevelRecord(workspace=path.name, version=level.version, started=events.now(), guided=guided)
        change.state.levels[level.id] = record
    change.note(
        events.Start(
            level=level.id,
            how=how,
            bugs=() if how == "resumed" else tuple(bug.id for bug in level.bugs),
            workspace=path.name,
            made_from=record.version,
            guided=guided,
            files=files_hash(path),
        )
    )


def _looks_made_by_us(path: Path) -> bool:
    return (path / "CASE.md").is_file() and (path / "nanochat").is_dir()


def _is_guided(path: Path, level: Level) -> bool:
    files = {file for bug in level.bugs for file in bug.files}
    return any(b"# bughunt " in (path / file).read_bytes() for file in files if (path / file).is_file())
