"""What a process leaves running behind it, found and ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path


def end_leftovers() -> None:
    """Ends what children left running in sessions of their own; as a subreaper we inherit it (Linux).

    All of it is stopped before any of it is killed, or it could multiply faster than it is found.
    """
    if sys.platform != "linux":
        return
    for _ in range(1000):
        stopped: set[int] = set()
        while found := descendants(os.getpid()) - stopped:
            for pid in found:
                _signal(pid, signal.SIGSTOP)
            stopped |= found
        if not stopped:
            return
        for pid in stopped:
            _signal(pid, signal.SIGKILL)
        # They need a moment to end, and may have to wait for the processor that this process has.
        time.sleep(0.001)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def descendants(pid: int, enough: int | None = None) -> set[int]:
    """The processes that `pid` started, and those that they did (Linux); no more than just above `enough`."""
    found: set[int] = set()
    pending = [pid]
    while pending and (enough is None or len(found) <= enough):
        for child in _children(pending.pop()) - found:
            found.add(child)
            pending.append(child)
    return found


def _children(pid: int) -> set[int]:
    children: set[int] = set()
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                children |= {int(child) for child in (thread / "children").read_text().split()}
    return children
