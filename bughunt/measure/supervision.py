"""What a measuring process and all that it started use together: no limit of a single process bounds that."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bughunt.measure.leftovers import descendants

# How often a supervisor looks.
LOOK_SECONDS = 0.1


class Supervisor:
    """Watches the process `pid`: `memory` bytes and `processes` are for it and all that it started together.

    Whatever this process, which adopts orphans, has for descendants was started by that one.
    """

    def __init__(self, pid: int, memory: int, processes: int) -> None:
        self._pid = pid
        self._memory = memory
        self._processes = processes
        # Memory that a fork shares with this process, from which it comes, is not its own.
        self._shared = _memory_of(os.getpid())

    def exceeded(self) -> str | None:
        """What they use too much of, in words; None while all is well, and where the system does not tell."""
        everyone = descendants(os.getpid()) | {self._pid}
        # One process has limits of its own, which do not wait for anybody to look.
        if len(everyone) == 1:
            return None
        if len(everyone) > self._processes:
            return f"had more than {self._processes} processes at a time"
        if sum(map(_memory_of, everyone)) > self._memory:
            own = sum(max(0, _exactly(pid, self._shared)) for pid in everyone)
            if own > self._memory:
                return "used more memory, in all its processes, than a measurement may use"
        return None


def _memory_of(pid: int) -> int:
    """Bytes of memory that belong to no file, those shared with other processes among them (Linux)."""
    return sum(_kilobytes(f"/proc/{pid}/status", "RssAnon:", "RssShmem:")) << 10


def _exactly(pid: int, shared: int) -> int:
    """Its share of the memory that belongs to no file; where that is not told, less what forks share."""
    told = _kilobytes(f"/proc/{pid}/smaps_rollup", "Pss_Anon:", "Pss_Shmem:")
    return sum(told) << 10 if told else _memory_of(pid) - shared


def _kilobytes(file: str, *names: str) -> list[int]:
    with suppress(OSError, ValueError):
        lines = map(str.split, Path(file).read_text().splitlines())
        return [int(words[1]) for words in lines if words[:1] and words[0] in names]
    return []
