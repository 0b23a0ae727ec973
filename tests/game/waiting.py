"""Waiting for what other processes do, without a clock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable


def soon(holds: Callable[[], bool]) -> bool:
    """Does it hold once those who have to see to it have had their turn?"""
    for _ in range(200):
        if holds():
            return True
        # While another process runs, theirs can.
        subprocess.run([sys.executable, "-c", ""], check=True)
    return False


def ended(pid: int) -> bool:
    """Is this process gone, soon?"""

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return soon(gone)
