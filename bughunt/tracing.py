"""Keeping other processes out of this one's memory."""

from __future__ import annotations

import ctypes
import sys

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4


def forbid_tracing() -> bool:
    """Keeps other processes of the same user from reading, changing or tracing this one. Does that work here?

    Only Linux has it. A process with the capability to trace any other (one of root's, most often) keeps it.
    """
    if sys.platform != "linux":
        return False
    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return False
    prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return bool(prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
