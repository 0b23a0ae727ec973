"""CASE.md: how many places somebody broke."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bughunt.content.level import Level
from bughunt.workspace.casefile import case_file


@pytest.mark.parametrize(
    ("count", "says"),
    [(1, "one place."), (2, "two places."), (8, "eight places."), (30, "30 places.")],
)
def test_any_number_of_bugs_is_counted(count: int, says: str, level1: Level) -> None:
    level = replace(level1, bugs=(level1.bugs * count)[:count])
    assert f"somebody broke it in {says}\n" in case_file(level)
