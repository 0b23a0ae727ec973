"""What Linux does for a process that asks; elsewhere these do nothing."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from bughunt.confine.linux import libc

_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
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


def come_first(*, with_children: bool = False) -> None:
    """Has this process run before all others where it may, as root may; what it will start does so as well if
    that is asked for.

    It is for one that hardly ever runs, and has to when others use up the machine.
    """
    if sys.platform == "linux":
        kind = os.SCHED_RR | (0 if with_children else os.SCHED_RESET_ON_FORK)
        with suppress(OSError):
            os.sched_setscheduler(0, kind, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))


def forbid_tracing() -> bool:
    """Keeps other processes of the same user from reading, writing or tracing this one. Did it work?

    Whoever has the capability to trace any process, as root has, is not kept from it.
    """
    _prctl(_PR_SET_DUMPABLE, 0)
    return _prctl(_PR_GET_DUMPABLE, 0) == 0


def allow_tracing() -> None:
    """Takes `forbid_tracing` back, which keeps a process from writing to its own files in /proc, too."""
    _prctl(_PR_SET_DUMPABLE, 1)


def _prctl(option: int, value: int) -> int | None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            return int(libc().prctl(option, value, 0, 0, 0))
    return None
