"""Is there still a terminal? Not every one that goes sends a signal first."""

from __future__ import annotations

import select
import sys


def terminal_is_gone() -> bool:
    """Has the other end of the terminal been closed? (Where the system does not tell: no.)"""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.__stdin__ or 0, 0)
    return any(event & (select.POLLHUP | select.POLLNVAL | select.POLLERR) for _, event in poll.poll(0))
