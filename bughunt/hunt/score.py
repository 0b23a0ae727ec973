"""Points: a bug is worth more at a higher level, and each hint taken costs a fifth of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bughunt.content.cards import HINTS_PER_BUG
from bughunt.content.level import Level
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.state import State

_SHARES = HINTS_PER_BUG + 1


@dataclass(frozen=True)
class Score:
    """Points `earned` of the `most` there are."""

    earned: int
    most: int


def worth(level: Level, progress: BugProgress) -> int:
    """What fixing the bug earns, or has earned, after the hints taken so far."""
    if progress.solution_opened is not None:
        return 0
    hints = min(progress.hints, HINTS_PER_BUG)
    return level.points * (_SHARES - hints) // _SHARES


def earned(level: Level, progress: BugProgress) -> int:
    """The points a bug has brought in."""
    return worth(level, progress) if progress.solved else 0


def score(levels: Iterable[Level], state: State) -> Score:
    """The points of some levels together."""
    pairs = [(level, bug) for level in levels for bug in level.bugs]
    return Score(
        sum(earned(level, state.bug(bug.id)) for level, bug in pairs), sum(level.points for level, _ in pairs)
    )
