"""The log of a hunt, `.bughunt/log.jsonl`: one event a line, appended and never changed.

Each line holds the hash of the line before it, so that a line that was changed or taken out is noticed. The
state beside it holds the hash of the last line (see `Head`), so that lines missing at the end are, too. This
is evidence and no proof: whoever owns the folder can write a new log.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO

import msgspec

from bughunt.disk.files import naming, sync
from bughunt.disk.kinds import open_own, read_own
from bughunt.hunt.events import AnyEvent, Count

_DECODER = msgspec.json.Decoder(AnyEvent)


class Head(msgspec.Struct, frozen=True):
    """Where a log ends: the number of its lines and the hash of the last one."""

    lines: Count = 0
    hash: str = ""


class _Link(msgspec.Struct):
    """What every line has, those of a later version of the game among them."""

    event: str
    previous: str = ""


@dataclass(frozen=True)
class History:
    """The events of a log as far as they can be read. `fault` is a sentence on what is wrong with it."""

    events: tuple[AnyEvent, ...] = ()
    head: Head = field(default_factory=Head)
    fault: str | None = None


class Log:
    """The log in the file `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, expected: Head | None = None) -> History:
        """All that happened. `expected` is where the log ended at least, when the state was last written.

        A last line without its end is one that is being written, or that a kill cut short: no event yet.
        """
        events: list[AnyEvent] = []
        hashes = [""]
        changed: int | None = None
        for number, line in enumerate(self._lines(), start=1):
            try:
                follows = msgspec.json.decode(line, type=_Link).previous == hashes[-1]
            except msgspec.DecodeError:
                follows = False
            if not follows and changed is None:
                changed = number
            with suppress(msgspec.DecodeError):
                events.append(_DECODER.decode(line))
            hashes.append(_hash(line))
        lines, last = len(hashes) - 1, hashes[-1]
        lacks = expected is not None and (expected.lines > lines or hashes[expected.lines] != expected.hash)
        # What is written next then follows from a line that is not there, for every later reader to see.
        head = Head(lines, expected.hash if expected and lacks else last)
        return History(tuple(events), head, self._fault(changed, lacks))

    def append(self, events: Iterable[AnyEvent], head: Head) -> Head:
        """Writes `events` behind `head` and returns where the log then ends. The caller holds the lock."""
        lines, last = head.lines, head.hash
        written = b""
        for event in events:
            line = msgspec.json.encode(msgspec.structs.replace(event, previous=last))
            lines, last = lines + 1, _hash(line)
            written += line + b"\n"
        appending = os.O_RDWR | os.O_APPEND | os.O_CREAT
        with naming(self.path), os.fdopen(open_own(self.path, appending), "a+b") as file:
            _cut_unfinished_line(file)
            file.write(written)
            file.flush()
            sync(file.fileno())
        return Head(lines, last)

    def _lines(self) -> list[bytes]:
        try:
            *lines, _ = read_own(self.path).split(b"\n")
        except FileNotFoundError:
            return []
        return lines

    def _fault(self, changed: int | None, lacks: bool) -> str | None:
        if changed is not None:
            what = f"Line {changed} of {self.path} does not follow from the line before it"
        elif lacks:
            what = f"{self.path} does not hold all that was written to it"
        else:
            return None
        return f"{what}: lines were changed or taken out. Points are counted from what is there."


def _hash(line: bytes) -> str:
    return sha256(line).hexdigest()[:32]


def _cut_unfinished_line(file: IO[bytes]) -> None:
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
