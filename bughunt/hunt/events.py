"""What can happen in a hunt, as records of its log. A line of the log is one of these as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from bughunt import __version__

Count = Annotated[int, msgspec.Meta(ge=0)]
Verdict = Literal["fixed", "broken", "crashed", "unknown"]


def now() -> str:
    """The time of this moment: ISO 8601, UTC, whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Event(msgspec.Struct, tag_field="event", kw_only=True, omit_defaults=True):
    """`previous` is the hash of the line before; it is filled in when the event is written."""

    time: str = msgspec.field(default_factory=now)
    version: str = msgspec.field(default_factory=lambda: __version__)
    previous: str = ""


class Start(Event, tag="start"):
    """A level was begun (`new`), taken up again (`resumed`) or begun over (`fresh`).

    `workspace` is its folder, `made_from` the level's version, `files`
    a hash of the Python files as they then were.
    Nobody has judged `bugs` after it.
    """

    level: str
    how: Literal["new", "resumed", "fresh"]
    bugs: tuple[str, ...]
    workspace: str
    made_from: str
    guided: bool = False
    files: str = ""


class Hint(Event, tag="hint"):
    bug: str
    number: Annotated[int, msgspec.Meta(ge=1)]


class Probe(Event, tag="probe"):
    bug: str
    seed: int


class Check(Event, tag="check"):
    """`files` is a hash of the Python files: equal to that of the start where nothing was edited."""

    bug: str
    verdict: Verdict
    seed: int
    files: str = ""
    elsewhere: bool = False


class Rest(Event, tag="rest"):
    """What must hold besides the bugs was asked: `broken` lists the clauses that hold no longer, `asked` is
    how many there were. `known`: the judge could do its work. `files` is as in a check."""

    level: str
    seed: int
    asked: Count = 0
    broken: tuple[str, ...] = ()
    known: bool = True
    files: str = ""


class Reset(Event, tag="reset"):
    """Files were put back, after which nobody has judged `bugs`."""

    level: str
    bugs: tuple[str, ...]
    whole: bool


class Restore(Event, tag="restore"):
    """A rescue was brought back, after which nobody has judged `bugs`."""

    level: str
    rescue: str
    bugs: tuple[str, ...]


class Solution(Event, tag="solution"):
    """The solution was asked for; `opened` when it was shown, `free` when the bug was solved by then."""

    bug: str
    opened: bool
    free: bool = False


class Carried(Event, tag="carried"):
    """What an earlier version of the game had counted of a bug, without saying when it happened."""

    bug: str
    verdict: Literal["fixed", "broken", "crashed"] | None = None
    fixed_at: str | None = None
    hints: Count = 0
    checks: Count = 0
    solution_asked: bool = False
    solution_opened: str | None = None
    elsewhere: bool = False


AnyEvent = Start | Hint | Probe | Check | Rest | Reset | Restore | Solution | Carried
