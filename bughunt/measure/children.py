"""A child process that measures: wait for it within its time, end it, leave nothing of it behind."""

from __future__ import annotations

import math
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

from bughunt.measure.leftovers import end_leftovers
from bughunt.measure.supervision import LOOK_SECONDS, Supervisor

# Where the system does not tell of a child's end, it is asked this often.
_POLL_SECONDS = 0.005


class TooMuch(Exception):
    """The child and what it started use more than they may together."""


class Cancelled(Exception):
    """Nobody waits for the outcome of the measurement any more."""


class ForkedChild:
    """A forked child, with what is used here of `subprocess.Popen`'s methods."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        return self._reap(os.WNOHANG)

    def wait(self) -> int:
        status = self._reap(0)
        assert status is not None
        return status

    def _reap(self, options: int) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


Child = ForkedChild | subprocess.Popen[bytes]


def wait_for(child: Child, deadline: float, cancel: int | None, supervisor: Supervisor | None = None) -> bool:
    """Waits until the child has ended (True) or the deadline has passed (False).

    `cancel` is a descriptor that becomes readable when nobody waits for the outcome any more; then
    Cancelled is raised. TooMuch is raised when the `supervisor` says so.
    """
    looks = math.inf if supervisor is None else time.monotonic() + LOOK_SECONDS
    cancels = [] if cancel is None else [cancel]
    ended = _pidfd(child.pid)
    try:
        while True:
            remaining = max(0.0, min(deadline, looks) - time.monotonic())
            if ended is not None:
                readable = select.select([ended, *cancels], [], [], remaining)[0]
            elif child.poll() is not None:
                return True
            else:
                readable = _pause(cancels, min(_POLL_SECONDS, remaining))
            if ended in readable:
                return True
            if readable:
                raise Cancelled
            if time.monotonic() >= deadline:
                return False
            if supervisor is not None and time.monotonic() >= looks:
                if reason := supervisor.exceeded():
                    raise TooMuch(reason)
                looks = time.monotonic() + LOOK_SECONDS
    finally:
        if ended is not None:
            os.close(ended)


def end_child(child: Child) -> None:
    """Ends the child, its process group, and whatever it started outside of that."""
    if sys.platform == "win32":
        child.kill()
    else:
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(child.pid, signal.SIGKILL)
    child.wait()
    end_leftovers()


def _pidfd(pid: int) -> int | None:
    """What `select` waits for the end of a process with, without reaping it (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _pause(cancels: list[int], seconds: float) -> list[int]:
    if cancels:
        return select.select(cancels, [], [], seconds)[0]
    time.sleep(seconds)
    return []
