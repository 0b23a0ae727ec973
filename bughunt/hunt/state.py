"""The state of one hunt: which levels are played where, and how far the player is with each bug.

The first is `.bughunt/state.json`, the second is what the log beside it comes to:

    {"schema": 2,
     "active": "level1",
     "levels": {"level1": {"workspace": "level1", "version": "<hash>", "started": "<UTC>", "guided": false}},
     "log": {"lines": 12, "hash": "<of the last line>"}}

Keys that are not known are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bughunt.hunt.events import AnyEvent, Carried, Reset, Rest, Restore, Start
from bughunt.hunt.log import Head
from bughunt.hunt.progress import BugProgress, apply_event

if TYPE_CHECKING:
    from bughunt.content.level import Level

_T = TypeVar("_T")

SCHEMA = 2

# Counters stood in the state itself, before there was a log.
_SCHEMA_WITHOUT_LOG = 1
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class LevelRecord(msgspec.Struct, kw_only=True):
    """`workspace` is a folder of the hunt; `version` is the level's in the catalog when it was made."""

    workspace: str
    version: str
    started: str
    guided: bool = False
    extra: dict[str, Any] = {}


@dataclass
class State:
    """`bugs` holds the progress of bugs that something happened to: ask `bug()` for that of any.

    `rests` holds the clauses last seen broken in a level, None where the judge could not tell; nothing since
    the code was put back.
    """

    active: str | None = None
    levels: dict[str, LevelRecord] = field(default_factory=dict)
    bugs: dict[str, BugProgress] = field(default_factory=dict)
    rests: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    events: list[AnyEvent] = field(default_factory=list)
    head: Head = field(default_factory=Head)
    extra: dict[str, Any] = field(default_factory=dict)

    def bug(self, bug_id: str) -> BugProgress:
        """How far the player is with a bug."""
        return self.bugs.get(bug_id, BugProgress())

    def all_fixed(self, bugs: Iterable[str]) -> bool:
        """Are all of these fixed now?"""
        return all(self.bug(bug).fixed for bug in bugs)

    def regressions(self, level: str) -> tuple[str, ...]:
        """The clauses last seen broken in a level."""
        return self.rests.get(level) or ()

    def is_complete(self, level: Level) -> bool:
        """Are all its bugs fixed now, and is nothing broken besides?"""
        return self.all_fixed(bug.id for bug in level.bugs) and self.rests.get(level.id, ()) == ()

    def first_start(self, level: str) -> str | None:
        """When the level was first started, as far as the log can tell."""
        times = (event.time for event in self.events if isinstance(event, Start) and event.level == level)
        return next(times, None)

    def apply(self, events: Iterable[AnyEvent]) -> None:
        """Takes events in, in the order in which they happened."""
        for event in events:
            self.events.append(event)
            apply_event(self.bugs, event)
            match event:
                case Rest():
                    self.rests[event.level] = event.broken if event.known else None
                case Start(how="resumed"):
                    pass
                case Start() | Reset() | Restore():
                    self.rests.pop(event.level, None)


class UnusableError(Exception):
    """The text is not a state that this version can use; the message says why."""


def dump_state(state: State) -> bytes:
    """The text of `state.json`."""
    data = {
        **state.extra,
        "schema": SCHEMA,
        "active": state.active,
        "levels": {name: flat_record(record) for name, record in state.levels.items()},
        "log": msgspec.structs.asdict(state.head),
    }
    return (json.dumps(data, indent=1) + "\n").encode()


def level_snapshot(state: State, level: str) -> dict[str, Any]:
    """The record of a level as plain data, to be kept with a rescue."""
    record = state.levels.get(level)
    return {"level": flat_record(record) if record else None}


def flat_record(record: LevelRecord) -> dict[str, Any]:
    """The record of a level as plain data."""
    data = msgspec.structs.asdict(record)
    extra: dict[str, Any] = data.pop("extra")
    return extra | data


def parse_state(text: bytes) -> tuple[State, list[Carried]]:
    """The state in a text, without what the log says; with what a state from before the log had counted.

    Raises UnusableError.
    """
    data = _object(text)
    schema = data.pop("schema", None)
    if type(schema) is not int or schema not in (SCHEMA, _SCHEMA_WITHOUT_LOG):
        raise UnusableError(f"its schema version is {schema!r}; this version of the game knows {SCHEMA}")
    active, levels = data.pop("active", None), data.pop("levels", None)
    if not (active is None or isinstance(active, str)):
        raise UnusableError("`active` is not a level's name")
    state = State(active, {name: level_record(name, value) for name, value in _items("levels", levels)})
    carried: list[Carried] = []
    if schema == SCHEMA:
        state.head = _convert("log", data.pop("log", None), Head)
    else:
        carried = carried_progress(data.pop("bugs", None))
    state.extra = data
    try:
        dump_state(state)
    except RecursionError:
        raise UnusableError("it is nested too deeply") from None
    return state, carried


def level_record(name: str, value: Any) -> LevelRecord:
    """The record of a level from plain data. Raises UnusableError."""
    record = _convert(f"levels.{name}", value, LevelRecord)
    if not _FOLDER_NAME.fullmatch(record.workspace):
        raise UnusableError(f"`levels.{name}.workspace` is not the name of a folder in the hunt")
    record.extra = {key: item for key, item in value.items() if key not in LevelRecord.__struct_fields__}
    return record


def carried_progress(bugs: Any) -> list[Carried]:
    """What counters of an earlier version of the game, by bug, come to as events. Raises UnusableError."""
    return [_carried(name, value) for name, value in _items("bugs", bugs)]


def _carried(name: str, value: Any) -> Carried:
    if not isinstance(value, dict):
        raise UnusableError(f"`bugs.{name}` is not an object")
    known = {key: item for key, item in value.items() if key in Carried.__struct_fields__}
    for key in ("time", "version", "previous", "event"):
        known.pop(key, None)
    return _convert(f"bugs.{name}", known | {"event": "carried", "bug": name}, Carried)


def _convert(where: str, value: Any, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UnusableError(f"`{where}` cannot be used: {error}") from None


def _object(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise UnusableError("it is not JSON") from None
    if not isinstance(data, dict):
        raise UnusableError("it is not a JSON object")
    return data


def _items(name: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise UnusableError(f"`{name}` is missing, or not an object")
    return list(value.items())
