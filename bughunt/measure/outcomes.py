"""What a measurement may use, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

# Importing torch from a cold disk takes its time; this only bounds an import that hangs.
PRELOAD_SECONDS = 180.0


class Stopped(Exception):
    """The measurement was stopped by whoever had asked for it, so there is no outcome."""


class Flag(Protocol):
    """Tells a measurement to stop, as `threading.Event` does."""

    def is_set(self) -> bool: ...


@dataclass(frozen=True)
class EitherFlag:
    """A flag that is set when one of two is."""

    one: Flag
    other: Flag | None

    def is_set(self) -> bool:
        return self.one.is_set() or (self.other is not None and self.other.is_set())


@dataclass(frozen=True)
class Limits:
    """What one measurement may use.

    `seconds` of wall-clock time; bytes of `memory` beyond what is preloaded, `written` to any one file and
    `returned` as its result; `processes` (threads count, too) beyond those that the system runs already.
    """

    seconds: float = 30.0
    memory: int = 3 << 30
    written: int = 64 << 20
    returned: int = 8 << 20
    processes: int = 256


@dataclass(frozen=True)
class Measurement:
    """What the workspace's code did: plain data. `borrowed`: it made use of the game's own files."""

    data: Any
    seconds: float = 0.0
    borrowed: bool = False


@dataclass(frozen=True)
class Failure:
    """No measurement came back. `message` says in one sentence what happened instead; `detail` is the
    player's own traceback or the end of what the code printed; `ours` means that the judge's own
    machinery failed, not the workspace's code."""

    message: str
    detail: str = ""
    ours: bool = False
    seconds: float = 0.0
    borrowed: bool = False


Outcome = Measurement | Failure
