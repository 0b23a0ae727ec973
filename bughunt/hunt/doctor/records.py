"""Can what a hunt has written down be used: state, log, rescues, workspaces? Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bughunt.disk.kinds import MisplacedError, expect, kind_of, read_own
from bughunt.disk.places import unusable
from bughunt.errors import BughuntError
from bughunt.hunt.doctor.finding import Finding
from bughunt.hunt.log import Head
from bughunt.hunt.started import in_the_way, rescues_in
from bughunt.hunt.state import State, UnusableError, parse_state
from bughunt.hunt.store import Store


def examine_records(hunt: Path) -> Iterator[Finding]:
    """Looks at what the hunt in the folder `hunt` holds, and mends nothing: each command does that."""
    store = Store(hunt / ".bughunt")
    state = State()
    try:
        state, _ = parse_state(read_own(store.file))
    except UnusableError as error:
        remedy = "The next command sets it aside and takes the copy before it: nothing to do."
        yield Finding("the state", False, f"{store.file} cannot be used: {error}", remedy)
    except FileNotFoundError:
        yield Finding("the state", True, "none yet")
    except OSError as error:
        yield _cannot("the state", store.file, error)
    else:
        yield Finding("the state", True, "can be read")
    yield _examine_log(store, state.head)
    yield _examine_rescues(store.folder)
    for level, record in state.levels.items():
        yield _examine_workspace(level, hunt / record.workspace)


def _examine_log(store: Store, head: Head) -> Finding:
    try:
        history = store.log.read(head)
    except OSError as error:
        return _cannot("the log", store.log.path, error)
    return Finding("the log", True, history.fault or "whole")


def _examine_rescues(folder: Path) -> Finding:
    what, place = "the rescues", folder / "rescues"
    try:
        expect(place, "folder")
    except OSError as error:
        return _cannot(what, place, error)
    unreadable = rescues_in(folder).unreadable()
    if unreadable:
        names = ", ".join(path.name for path in unreadable)
        remedy = f"The files that they kept are in {place}: copy them by hand."
        return Finding(what, False, f"cannot be read: {names}", remedy)
    return Finding(what, True, "can be read")


def _examine_workspace(level: str, path: Path) -> Finding:
    what = f"the workspace of {level}"
    there = kind_of(path)
    if there == "folder":
        return Finding(what, True, "there")
    if there is not None:
        error = in_the_way(path)
        return Finding(what, False, error.message, error.step)
    return Finding(what, False, f"{path} is gone", f"`bughunt start {level}` makes it again.")


def _cannot(what: str, path: Path, error: OSError) -> Finding:
    said: BughuntError = unusable(path, error)
    away = f"Move {path} away: what it holds cannot be used as it is."
    return Finding(what, False, said.message, said.step if isinstance(error, MisplacedError) else away)
