"""What a measuring process and all that it started use together: no limit of a single process bounds that."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bughunt.measure.leftovers import descendants

# How often a supervisor looks.
LOOK_SECONDS = 0.1


class Supervisor:
    """Watches all that this process started: `memory` bytes and `processes` are for them together.

    What has lost its parent is among them, for this process adopts it.
    """

    def __init__(self, memory: int, processes: int) -> None:
        self._memory = memory
        self._processes = processes
        # Memory that a fork shares with this process, from which it comes, is not its own.
        self._shared = _memory_of(os.getpid())

    def exceeded(self) -> str | None:
        """What they use too much of, in words; None while all is well, and where the system does not tell.

        It reads nothing that waits for one of them: they may keep each other from going on.
        """
        everyone = descendants(os.getpid(), self._processes)
        # One process has limits of its own, which do not wait for anybody to look.
        if len(everyone) < 2:
            return None
        if len(everyone) > self._processes:
            return f"had more than {self._processes} processes at a time"
        held = [_memory_of(pid) for pid in everyone]
        # A program of its own shares nothing: it may seem to hold less than it does. Then the machine tells.
        own = sum(max(0, memory - self._shared) for memory in held)
        if sum(held) > self._memory and (own > self._memory or _nothing_left()):
            return "used more memory, in all its processes, than a measurement may use"
        return None


def _memory_of(pid: int) -> int:
    """Bytes of memory that belong to no file, those shared with other processes among them (Linux)."""
    return sum(_kilobytes(f"/proc/{pid}/status", "RssAnon:", "RssShmem:")) << 10


def _nothing_left() -> bool:
    """Is the machine's memory all but used up?"""
    amounts = _kilobytes("/proc/meminfo", "MemTotal:", "MemAvailable:")
    return len(amounts) == 2 and amounts[1] < amounts[0] / 20


def _kilobytes(file: str, *names: str) -> list[int]:
    with suppress(OSError, ValueError, IndexError):
        lines = Path(file).read_text().splitlines()
        return [int(line.split()[1]) for line in lines if line.startswith(names)]
    return []
