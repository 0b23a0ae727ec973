"""No program in a workspace gets a verdict that it has not earned, nor reaches what is not its business.

In continuous integration a hundred programs are drawn and held as they are by default; of the other columns
of the tables, of the other way of measuring and of another user, a few. The soak has all of them.
"""

from __future__ import annotations

import platform
import random
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tables
from case import COLUMNS, FORGED, Case
from cases import CASES
from other_users import NOBODY, trouble_as
from player import Player

from bughunt.confine import hold
from bughunt.measure import sandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the canaries are of Linux")

DOCS = Path(__file__).resolve().parents[2] / "docs" / "judge.md"
# Column, way of measuring, user.
ALL = [(column, mode, user) for column in COLUMNS for mode in ("fork", "fresh") for user in (None, NOBODY)]


@pytest.mark.few(2)
@pytest.mark.parametrize("quarter", range(4))
def test_many_held_by_default(quarter: int, new_seeds: Any, players: Any) -> None:
    drawn = random.Random(new_seeds(1)[0])
    for case in drawn.sample([case for case in CASES if not case.waits][quarter::4], 12):
        look_at(case, "default", "fork", None, players)


@pytest.mark.few(8)
@pytest.mark.parametrize(("column", "mode", "user"), ALL)
def test_a_few_drawn(column: str, mode: str, user: int | None, new_seeds: Any, players: Any) -> None:
    drawn = random.Random(new_seeds(1)[0])
    for case in drawn.sample([case for case in CASES if not case.waits], 3 if mode == "fork" else 1):
        look_at(case, column, mode, user, players)


@pytest.mark.soak
@pytest.mark.parametrize("user", [None, NOBODY], ids=["self", "nobody"])
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_everywhere(case: Case, column: str, user: int | None, players: Any) -> None:
    look_at(case, column, "fork", user, players)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_in_a_new_interpreter(case: Case, players: Any) -> None:
    look_at(case, "default", "fresh", None, players)


def test_nothing_is_forged_where_code_is_confined() -> None:
    forged = [
        (case.name, column) for case in CASES for column in COLUMNS if case.right(column).verdicts & FORGED
    ]
    assert forged and {column for _, column in forged} == {"none"}


def test_nothing_is_reached_from_the_sandbox() -> None:
    assert not [case.name for case in CASES if case.right("bubblewrap").reaches]


def test_the_docs_show_these_programs() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert f"\n\n{tables.verdicts()}\n" in text
    assert f"\n\n{tables.reached()}\n" in text


def look_at(case: Case, column: str, mode: str, user: int | None, players: Any) -> None:
    if trouble := trouble_in(column):
        pytest.skip(trouble)
    if user is not None and (trouble := trouble_as(user)):
        pytest.skip(trouble)
    if case.needs_x86 and platform.machine() != "x86_64":
        pytest.skip("it is written for another processor")
    player: Player = players(column, user)
    answer = player.judge(case.name, mode)
    if case.spoils and column == "none":
        player.start_anew()
    right = case.right(column)
    assert answer["verdict"] in right.verdicts, answer
    assert right.says in answer["message"] or answer["verdict"] == "fixed", answer
    reached = set(answer["reached"])
    assert reached <= right.reaches, answer
    if not case.perhaps:
        # Else the program would show nothing where it reaches nothing.
        assert reached == right.reaches, answer
    assert_readable(answer)


def assert_readable(answer: dict[str, Any]) -> None:
    text = answer["message"] + answer["detail"]
    assert answer["message"] or answer["verdict"] == "fixed"
    assert all(c.isprintable() or c in "\n\t" for c in text)
    assert len(text) < 10_000


@cache
def trouble_in(column: str) -> str | None:
    """Why this system has no such column, or None."""
    if column == "none":
        return None
    if missing := hold.lacking():
        return f"this system lacks {' and '.join(missing)}"
    return None if column == "default" else sandbox.trouble_with(column)  # type: ignore[arg-type]
