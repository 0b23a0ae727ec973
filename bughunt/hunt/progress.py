"""The state of one hunt: `.bughunt/state.json`, versioned, locked, atomic, recoverable.

    {"schema": 1,
     "active": "level1",
     "levels": {"level1": {"workspace": "level1", "version": "<hash>", "started": "<UTC>", "guided": false}},
     "bugs":   {"1.1": {"verdict": "broken", "fixed_at": null, "hints": 2, "checks": 3,
                        "solution_asked": false, "solution_opened": null, "elsewhere": false}}}

`state.previous.json` beside it is the good copy before the last change. Keys that are not known are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bughunt.errors import BughuntError
from bughunt.files import write_atomically
from bughunt.hunt.lock import locked
from bughunt.places import unusable

SCHEMA = 1

# A state holds no other verdicts: `unknown` says nothing about a bug.
_VERDICTS = (None, "fixed", "broken", "crashed")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass
class LevelProgress:
    """`workspace` is a folder of the hunt; `version` is the level's in the catalog when it was made."""

    workspace: str
    version: str
    started: str
    guided: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class BugProgress:
    """`verdict` is the last one, None while there is none. Times are ISO 8601 in UTC."""

    verdict: str | None = None
    fixed_at: str | None = None
    hints: int = 0
    checks: int = 0
    solution_asked: bool = False
    solution_opened: str | None = None
    elsewhere: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class State:
    active: str | None = None
    levels: dict[str, LevelProgress] = field(default_factory=dict)
    bugs: dict[str, BugProgress] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def bug(self, bug_id: str) -> BugProgress:
        """The record of a bug, made when there is none yet."""
        return self.bugs.setdefault(bug_id, BugProgress())


class _Unusable(Exception):
    """The text is not a state that this version can use; the message says why."""


class Progress:
    """The state file of the hunt whose `.bughunt` folder is `folder`.

    `notices` collects what the player has to be told: a state set aside, a copy used in its place.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[str] = []

    @property
    def _file(self) -> Path:
        return self.folder / "state.json"

    @property
    def _previous(self) -> Path:
        return self.folder / "state.previous.json"

    def read(self) -> State:
        """The state as it is. A state that cannot be used is set aside first and the last good copy used."""
        try:
            return _parse(self._file.read_bytes())
        except (_Unusable, FileNotFoundError):
            with self._locked():
                return self._recover()
        except OSError as error:
            raise unusable(self._file, error) from error

    @contextmanager
    def update(self) -> Iterator[State]:
        """Holds the lock, gives the state to change, and saves it if the block ends without an exception."""
        with self._locked():
            state = self._recover()
            before = _dump(state)
            yield state
            after = _dump(state)
            if after != before or not self._file.exists():
                self._save(after)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder / "lock"):
                yield
        except OSError as error:
            raise unusable(self.folder, error) from error

    def _save(self, text: bytes) -> None:
        with suppress(FileNotFoundError, _Unusable):
            current = self._file.read_bytes()
            _parse(current)
            write_atomically(self._previous, current)
        write_atomically(self._file, text)

    def _recover(self) -> State:
        """Reads under the lock; sets an unusable state aside and falls back on the good copy before it."""
        try:
            return _parse(self._file.read_bytes())
        except FileNotFoundError:
            if not self._previous.exists():
                return State()
            reason = f"The state file {self._file} is missing."
        except _Unusable as error:
            reason = f"The state file could not be used ({error}); it is kept as {self._aside(self._file)}."
        try:
            state = _parse(self._previous.read_bytes())
        except (FileNotFoundError, _Unusable) as error:
            if isinstance(error, _Unusable):
                reason += f" So is the copy before it ({error}), as {self._aside(self._previous)}."
            self.notices.append(
                f"{reason} There is no earlier copy to use: hints taken, verdicts and times are lost. "
                "Your workspaces are untouched; `bughunt start LEVEL` takes one up again."
            )
            state = State()
        else:
            self.notices.append(
                f"{reason} The copy before the last change is used; at most that one change is lost."
            )
        write_atomically(self._file, _dump(state))
        return state

    def _aside(self, file: Path) -> Path:
        """Moves a file that cannot be used out of the way; where to, is returned."""
        aside = self._free_name()
        file.replace(aside)
        return aside

    def _free_name(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            path = self.folder / f"state.unusable-{stamp}{suffix}.json"
            if not path.exists():
                return path
        raise BughuntError(f"{self.folder} is full of unusable states.", "Remove the old ones.")


def snapshot(state: State, level: str, bugs: Iterable[str]) -> dict[str, Any]:
    """The records of one level and its bugs as plain data, to be kept with a rescue."""
    record = state.levels.get(level)
    return {
        "level": _flat(record) if record else None,
        "bugs": {bug: _flat(state.bugs[bug]) for bug in bugs if bug in state.bugs},
    }


def merge_snapshot(state: State, level: str, data: dict[str, Any]) -> None:
    """Takes a level's records from a snapshot back into the state; nothing earned or taken since is undone.

    The verdicts are not taken back: the files have changed, and nobody has judged them since.
    """
    with suppress(_Unusable):
        if data.get("level"):
            state.levels[level] = _level_record(level, data["level"])
        for name, value in _object("bugs", data.get("bugs", {})).items():
            old, new = _bug_record(name, value), state.bug(name)
            new.hints = max(old.hints, new.hints)
            new.checks = max(old.checks, new.checks)
            new.fixed_at = old.fixed_at or new.fixed_at
            new.solution_asked = old.solution_asked or new.solution_asked
            new.solution_opened = old.solution_opened or new.solution_opened


def now() -> str:
    """The time of this moment as the state keeps it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _dump(state: State) -> bytes:
    data = {
        **state.extra,
        "schema": SCHEMA,
        "active": state.active,
        "levels": {name: _flat(level) for name, level in state.levels.items()},
        "bugs": {name: _flat(bug) for name, bug in state.bugs.items()},
    }
    return (json.dumps(data, indent=1) + "\n").encode()


def _flat(record: LevelProgress | BugProgress) -> dict[str, Any]:
    data = asdict(record)
    extra: dict[str, Any] = data.pop("extra")
    return extra | data


def _parse(text: bytes) -> State:
    try:
        data = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _Unusable("it is not JSON") from None
    if not isinstance(data, dict):
        raise _Unusable("it is not a JSON object")
    schema = data.pop("schema", None)
    if type(schema) is not int or schema != SCHEMA:
        raise _Unusable(f"its schema version is {schema!r}; this version of the game knows {SCHEMA}")
    active, levels, bugs = data.pop("active", None), data.pop("levels", None), data.pop("bugs", None)
    if not (active is None or isinstance(active, str)):
        raise _Unusable("`active` is not a level's name")
    state = State(
        active,
        {name: _level_record(name, value) for name, value in _object("levels", levels).items()},
        {name: _bug_record(name, value) for name, value in _object("bugs", bugs).items()},
        data,
    )
    try:
        _dump(state)
    except RecursionError:
        raise _Unusable("it is nested too deeply") from None
    return state


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _Unusable(f"`{name}` is missing, or not an object")
    return value


def _level_record(name: str, value: Any) -> LevelProgress:
    record = _record(LevelProgress, f"levels.{name}", value)
    if not _FOLDER_NAME.fullmatch(record.workspace):
        raise _Unusable(f"`levels.{name}.workspace` is not the name of a folder in the hunt")
    return record


def _bug_record(name: str, value: Any) -> BugProgress:
    record = _record(BugProgress, f"bugs.{name}", value)
    if record.verdict not in _VERDICTS:
        raise _Unusable(f"`bugs.{name}.verdict` cannot be {record.verdict!r}")
    return record


_Record = TypeVar("_Record", LevelProgress, BugProgress)

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "bool": (bool,),
    "int": (int,),
}


def _record(kind: type[_Record], where: str, value: Any) -> _Record:
    if not isinstance(value, dict):
        raise _Unusable(f"`{where}` is not an object")
    known: dict[str, Any] = {}
    for entry in fields(kind):
        if entry.name == "extra" or entry.name not in value:
            continue
        item = value[entry.name]
        expected = _TYPES[str(entry.type)]
        sound = isinstance(item, expected)
        if expected == (int,):
            sound = isinstance(item, int) and not isinstance(item, bool) and item >= 0
        if not sound:
            raise _Unusable(f"`{where}.{entry.name}` cannot be {item!r}")
        known[entry.name] = item
    extra = {name: item for name, item in value.items() if name not in known}
    try:
        return kind(**known, extra=extra)
    except TypeError:
        raise _Unusable(f"`{where}` lacks a key") from None
