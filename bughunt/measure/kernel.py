"""What Linux does for a process that asks; elsewhere these do nothing."""

from __future__ import annotations

import ctypes
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent() -> None:
    """Has this process killed as soon as the thread that started it is gone."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def guard_process() -> None:
    """Makes this process one that adopts orphans and cannot be read or traced by its children."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    forbid_tracing()


def adopt_orphans() -> None:
    """Makes this process the parent of its descendants whose own parents have ended (a subreaper)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def forbid_tracing() -> None:
    """Keeps other processes of the same user from reading or tracing this one."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value)
