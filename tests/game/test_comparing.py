"""What counts as the same, when two trees were given the same inputs."""

from __future__ import annotations

import math
from typing import Any

import pytest

from bughunt.judge.comparing import first_difference, largest_difference

SAME = [
    ([1.0, 2.0], [1.0, 2.00001]),
    ({"a": [None, True, "x"]}, {"a": [None, True, "x"]}),
    ([1e6], [1e6 + 50]),
    ([math.nan, math.inf], [math.nan, math.inf]),
    ([1], [1.00001]),
    ({}, {}),
]

APART = [
    ([1.0, 2.0], [1.0, 2.001], "1: 2.001, where the clean code has 2"),
    ({"a": {"b": 1}}, {"a": {"b": 2}}, "a › b: 2, where the clean code has 1"),
    ([10_144], [6_144], "0: 6144, where the clean code has 10144"),
    ([1_000_000], [1_000_001], "0: 1000001, where the clean code has 1000000"),
    ([1, 2], [1], "1 of them, where the clean code has 2"),
    ([1], [1, 2], "2 of them, where the clean code has 1"),
    ({"a": 1}, {}, "a: nothing, where the clean code has 1"),
    ({}, {"a": 1}, "a: 1, where the clean code has nothing"),
    ([0], [False], "0: no, where the clean code has 0"),
    ([1], [True], "0: yes, where the clean code has 1"),
    ([0.0], [math.nan], "0: nan, where the clean code has 0"),
    ([0.0], [math.inf], "0: inf, where the clean code has 0"),
    ([None], [0], "0: 0, where the clean code has nothing"),
    (["1"], [1], "0: 1, where the clean code has '1'"),
    ({"a": []}, {"a": [3]}, "a: 1 of them, where the clean code has 0"),
    ([[1, 2]], [7], "0: 7, where the clean code has 2 values"),
    ({}, {"a\n1.1  fixed": 1}, "'a\\n1.1  fixed': 1, where the clean code has nothing"),
]


@pytest.mark.parametrize(("clean", "found"), SAME)
def test_the_same(clean: Any, found: Any) -> None:
    assert first_difference(clean, found, 1e-4) is None
    assert largest_difference(clean, found, 1e-4) <= 1


@pytest.mark.parametrize(("clean", "found", "says"), APART)
def test_apart(clean: Any, found: Any, says: str) -> None:
    assert str(first_difference(clean, found, 1e-4)) == says
    assert largest_difference(clean, found, 1e-4) > 1


def test_without_a_tolerance_numbers_are_the_same_or_not() -> None:
    assert first_difference([0.1], [0.1], 0.0) is None
    assert first_difference([0.1], [0.1 + 1e-12], 0.0) is not None


def test_distances_are_told_in_tolerances() -> None:
    assert largest_difference([1.0, 5.0], [1.0, 5.001], 1e-4) == pytest.approx(2.0)
