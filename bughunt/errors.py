"""The one class of expected errors: a clear line for the player, the next step, and an exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit statuses of the command line."""

    DONE = 0
    NOT_FIXED = 1
    NOT_CARRIED_OUT = 2
    JUDGE_FAILED = 3
    UNFORESEEN = 4
    INTERRUPTED = 130


class BughuntError(Exception):
    """Something the player can act on: `message` says what was wrong, `step` what to do next."""

    def __init__(self, message: str, step: str = "", code: Exit = Exit.NOT_CARRIED_OUT) -> None:
        super().__init__(message)
        self.message = message
        self.step = step
        self.code = code


class OutputError(BughuntError):
    """Standard output cannot be written to, so that the error can be told on standard error alone."""
