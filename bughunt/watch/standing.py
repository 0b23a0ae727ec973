"""What the watch asks the state about a bug or a level."""

from __future__ import annotations

from bughunt.content.catalog import Bug, Level
from bughunt.hunt.progress import BugProgress, State


def last_verdict(state: State, bug: Bug) -> str | None:
    """The kind of the last verdict recorded."""
    return state.bugs.get(bug.id, BugProgress()).verdict


def is_solved(state: State, bug: Bug) -> bool:
    """Has the bug been fixed once, whatever it is now?"""
    return state.bugs.get(bug.id, BugProgress()).fixed_at is not None


def just_completed(before: State, after: State, level: Level) -> bool:
    """Is every bug of the level fixed, one of them for the first time?"""
    newly = any(is_solved(after, bug) and not is_solved(before, bug) for bug in level.bugs)
    return newly and all(last_verdict(after, bug) == "fixed" for bug in level.bugs)
