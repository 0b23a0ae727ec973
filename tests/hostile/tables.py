"""The tables of docs/judge.md: `python tests/hostile/tables.py` prints them."""

from __future__ import annotations

from collections.abc import Iterable

from case import Case
from cases import CASES

_COLUMNS = (("no confinement", "none"), ("the default", "default"), ("`--sandbox`", "bubblewrap"))


def verdicts() -> str:
    """What is said of each program."""
    return _table(CASES, lambda case, column: " or ".join(sorted(case.right(column).verdicts)))


def reached() -> str:
    """What each program that is after something reaches."""
    after_something = [case for case in CASES if any(case.right(column).reaches for _, column in _COLUMNS)]
    return _table(after_something, lambda case, column: _reached(case, column))


def _reached(case: Case, column: str) -> str:
    return "; ".join(sorted(case.right(column).reaches)) or "nothing"


def _table(cases: Iterable[Case], cell) -> str:  # type: ignore[no-untyped-def]
    head = ["planted in the workspace", *(title for title, _ in _COLUMNS)]
    rows = [head, ["---"] * len(head)]
    rows += [[case.name, *(cell(case, column) for _, column in _COLUMNS)] for case in cases]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(f"{verdicts()}\n\n{reached()}")
