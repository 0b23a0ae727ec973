"""What is no answer is not taken for one: forms, gaps and likeness."""

from __future__ import annotations

import math
import re
from random import Random
from typing import Any

import pytest

from bughunt.content.installed import tree_folder
from bughunt.lab.expected import gaps
from bughunt.lab.expected.forms import ADDRESS, Either, Within, assert_form, exactly
from bughunt.lab.expected.gaps import assert_of_a_kind, likeness
from bughunt.lab.expected.merges import SPLIT_PATTERN
from bughunt.lab.measuring.gaps import largest_gap

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    10**400,
    1.0,
    0.5,
    math.nan,
    math.inf,
    "",
    "1",
    [],
    [1],
    {},
    {"a": 1},
]


def fits(found: Any, form: Any) -> bool:
    try:
        assert_form(found, form)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    ("form", "fitting"),
    [
        (int, [0, 1, 10**400]),
        (float, [1.0, 0.5]),
        (bool, [True, False]),
        (str, ["", "1"]),
        (None, [None]),
        (1, [1]),
        (1.0, [1.0]),
        (True, [True]),
        (Within(0.0, 0.6), [0.5]),
        (Within(0.0, math.inf), [1.0, 0.5]),
        (ADDRESS, [1]),
        ([int], [[], [1]]),
        ((int,), [[1]]),
        ((), [[]]),
        ({"a": int}, [{"a": 1}]),
        ({}, [{}]),
        (Either(None, (int,)), [None, [1]]),
    ],
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),
)
def test_a_form_is_fitted_by_its_own_and_by_nothing_that_is_equal(form: Any, fitting: list[Any]) -> None:
    found = [value for value in VALUES if fits(value, form)]
    assert list(map(repr, found)) == list(map(repr, fitting))


def test_a_value_is_its_own_form() -> None:
    value = {"a": [1, [2.0, None]], "b": "x"}
    assert fits(value, exactly(value))
    assert not fits({"a": [1, [2, None]], "b": "x"}, exactly(value))
    assert not fits({**value, "c": 0}, exactly(value))


def test_what_is_wrong_is_said_with_its_place() -> None:
    with pytest.raises(AssertionError, match=re.escape("the measurement['a'][1] is nan.")):
        assert_form({"a": [1.0, math.nan]}, {"a": [float]})


def test_numbers_that_are_none_have_an_infinite_gap() -> None:
    assert largest_gap([1.0, math.nan], [1.0, 1.0]) == math.inf
    assert largest_gap([1.0, math.inf], [1.0, math.inf]) == math.inf


@pytest.mark.parametrize("one", [[1.0, True], [1.0, "1"], [1.0, None], [1.0, [1.0]], [1.0]])
def test_what_is_no_number_has_no_gap(one: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        largest_gap(one, [1.0, 1.0])


NUMBERS = [[Random(100 * i + j).gauss(0, 1) for j in range(12)] for i in range(20)]


class TestLikeness:
    def test_of_the_same(self) -> None:
        assert math.isclose(likeness(NUMBERS, NUMBERS), 1.0)
        assert_of_a_kind("These", NUMBERS, NUMBERS)

    @pytest.mark.parametrize(
        "alter", [lambda x: 1.0, lambda x: -x, lambda x: 2.0 * x, lambda x: math.nan, lambda x: math.inf]
    )
    def test_of_others(self, alter: Any) -> None:
        others = [[alter(x) for x in row] for row in NUMBERS]
        with pytest.raises((AssertionError, ArithmeticError, ValueError)):
            assert_of_a_kind("These", others, NUMBERS)


def test_the_split_pattern_is_the_trees() -> None:
    scope: dict[str, Any] = {}
    text = (tree_folder() / "nanochat" / "tokenizer.py").read_text(encoding="utf-8")
    (assignment,) = re.findall(r"^SPLIT_PATTERN = \(\n.*?\n\)$", text, re.MULTILINE | re.DOTALL)
    exec(assignment, scope)
    assert scope["SPLIT_PATTERN"] == SPLIT_PATTERN


def test_a_few_numbers_may_be_little_alike_but_not_all_the_same() -> None:
    right = [float((7 * i) % 11) for i in range(60)]
    little_alike = [float((5 * i + i * i) % 13) for i in range(60)]
    assert abs(gaps.likeness(little_alike, right)) < gaps.LEAST_LIKENESS
    gaps.assert_of_a_kind("answers", little_alike, right)
    with pytest.raises(AssertionError, match="nothing to do"):
        gaps.assert_of_a_kind("answers", [1.0] * 60, right)
    with pytest.raises(AssertionError, match="nothing to do"):
        gaps.assert_of_a_kind("answers", little_alike * 4, right * 4)
