"""Points: a bug is worth more at a higher level, and each hint taken costs a fifth of it."""

from __future__ import annotations

from bughunt.content.catalog import HINTS_PER_BUG, Level
from bughunt.hunt.progress import BugProgress

_SHARES = HINTS_PER_BUG + 1


def worth(level: Level, progress: BugProgress) -> int:
    """What fixing the bug earns, or has earned, after the hints taken so far."""
    if progress.solution_opened is not None:
        return 0
    hints = min(progress.hints, HINTS_PER_BUG)
    return level.points * (_SHARES - hints) // _SHARES


def earned(level: Level, progress: BugProgress) -> int:
    """The points a bug has brought in."""
    return worth(level, progress) if progress.fixed_at is not None else 0
