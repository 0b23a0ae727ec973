"""What an examination tells while it goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do where it is not well."""

    what: str
    well: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Step:
    """What is about to be looked at: the `number`th step (from 1) `of` so many.

    `seconds_left` is reckoned from how long the steps before it took; None while that tells nothing.
    """

    number: int
    of: int
    what: str
    seconds_left: float | None = None
