"""Modules that can be read in one sitting."""

from __future__ import annotations

from statistics import median

from modules import PACKAGE, modules

LONGEST = 300
MEDIAN = 100


def lines() -> dict[str, int]:
    return {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules().values()
    }


def test_no_module_is_long() -> None:
    assert {name: count for name, count in lines().items() if count > LONGEST} == {}


def test_most_modules_are_short() -> None:
    assert median(lines().values()) < MEDIAN
