"""What comes into a watch: saves, keys, answers to questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from bughunt.content.level import Bug, Level


@dataclass(frozen=True)
class Event:
    """Something to react to; `urgent` events stop a running measurement."""

    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class Saved(Event):
    files: frozenset[str]


@dataclass(frozen=True)
class Polling(Event):
    """Files are looked at again and again from here on."""

    reason: str
    urgent = False


@dataclass(frozen=True)
class Check(Event):
    """Judge the whole level, beginning with the bug that the player looks at."""


@dataclass(frozen=True)
class Look(Event):
    """The player looks at `bug`: of several bugs whose files change, it is judged first."""

    bug: Bug
    urgent = False


@dataclass(frozen=True)
class Show(Event):
    what: Literal["hint", "probe", "diff", "reset", "solution", "next"]
    bug: Bug


@dataclass(frozen=True)
class TakeHint(Event):
    bug: Bug


@dataclass(frozen=True)
class Reset(Event):
    """Put back the files of `bug`, or with None all of the level."""

    bug: Bug | None


@dataclass(frozen=True)
class StartLevel(Event):
    level: Level


@dataclass(frozen=True)
class Close(Event):
    """End the watch."""
