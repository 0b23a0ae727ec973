"""A check of nothing, whose tests end in every way that one can.

It is run before any code of a workspace runs, so that all that pytest imports on the way is imported by then.
"""

from __future__ import annotations


def test_passes(inputs: object, measured: object) -> None:
    assert inputs == measured


def test_fails(inputs: object, measured: object) -> None:
    assert inputs is not measured, "as it is meant to"


def test_fails_by_itself() -> None:
    raise LookupError


def test_asks_for_more(nothing_of_this_name: object) -> None:
    pass
