"""The calculator: what it computes, how it writes it, and that it refuses everything else, at once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction

import pytest
from nanochat.calculator import use_calculator
from nanochat.common import TREE_ROOT


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1+1", "2"),
        (" 12 * (3 - 5) \n", "-24"),
        ("2 ** 10", "1024"),
        ("-7 // 2", "-4"),
        ("17 % 5", "2"),
        ("+3 - -4", "7"),
        ("99 ** 20", str(99**20)),
        ('"strawberry".count("r")', "3"),
        ("'banana'.count('an') + 1", "3"),
        ("'a,b,c'.count(',')", "2"),
    ],
)
def test_integers_are_exact(expression: str, result: str) -> None:
    assert use_calculator(expression) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("6 / 3", "2"),
        ("7 / 4", "1.75"),
        ("1 / 3", "0.333333"),
        ("-2 / 3", "-0.666667"),
        ("0.1 + 0.2", "0.3"),
        ("0 / -5", "0"),
        ("1 / 3000", "0.000333333"),
        ("3e-7 * 1", "0.0000003"),
        ("12345678901.5 * 1", "12345678901.5"),
        ("10 ** 20 / 2", "50000000000000000000"),
        ("2 ** -2", "0.25"),
        ("2 ** 0.5", "1.414214"),
        ("100.0", "100"),
    ],
)
def test_other_results_are_rounded_and_written_plainly(expression: str, result: str) -> None:
    assert use_calculator(expression) == result


def test_random_arithmetic_agrees_with_fractions() -> None:
    rng = random.Random(11)

    def expression(depth: int) -> tuple[str, Fraction]:
        if depth == 0 or rng.random() < 0.2:
            number = rng.randint(0, 99)
            return str(number), Fraction(number)
        operator = rng.choice("+-*/")
        (left, a), (right, b) = expression(depth - 1), expression(depth - 1)
        if operator == "/" and b == 0:
            operator = "+"
        value = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[operator]()
        return f"({left} {operator} {right})", value

    for _ in range(300):
        text, value = expression(3)
        result = use_calculator(text)
        assert result is not None, text
        assert abs(Fraction(result) - value) <= max(Fraction(1, 10**6), abs(value) / 10**12), text


REFUSED = [
    "",
    "1 +",
    "(1",
    "1 / 0",
    "0 ** -1",
    "(-8) ** 0.5",
    "1e308 * 10",
    "1e999",
    "1, 2",
    "[1]",
    "1 < 2",
    "~1",
    "1 << 3",
    "1 if 2 else 3",
    "True + 1",
    "None",
    "...",
    "1j",
    "x",
    "x := 1",
    "lambda: 1",
    "'text'",
    "'a' + 'b'",
    "'a' * 3",
    "f'{1}'",
    "b'a'.count(b'a')",
    "__import__('os').getcwd()",
    "().__class__.__bases__[0].__subclasses__()",
    "(1).__class__",
    "'a'.count.__self__",
    "'a'.__class__.count('a')",
    "'a'.count",
    "'a'.count()",
    "'a'.count('a', 0)",
    "'a'.count(sub='a')",
    "'a'.count(*'a')",
    "'a'.count(1)",
    "'a'.upper()",
    "'a'.replace('a', 'b').count('b')",
    "count('a')",
    "abs(-1)",
    "max(1, 2)",
    "open('/etc/passwd').read().count('root')",
    "[c for c in 'abc']",
    "1; 2",
    "import os",
    "\x00",
    "\ud800",
]


@pytest.mark.parametrize("expression", REFUSED)
def test_everything_else_is_refused(expression: str) -> None:
    assert use_calculator(expression) is None


COSTLY = {
    "tower": "9**9**9**9",
    "power": "10**10000000",
    "product of powers": "*".join(["9**99"] * 100),
    "square of squares": "((((9**99)**99)**99)**99)**99",
    "small base": "2**99999999999999999999",
    "float tower": "9.0**9**9**9",
    "repeated text": "'a'*9999999999",
    "long sum": "1" + "+1" * 5000,
    "long number": "9" * 10_000,
    "signs": "-" * 10_000 + "1",
    "parentheses": "(" * 5000 + "1" + ")" * 5000,
    "attributes": "a" + ".a" * 5000,
    "shorter signs": "-" * 900 + "1",
    "shorter parentheses": "(" * 450 + "1" + ")" * 450,
    "shorter attributes": "a" + ".a" * 450,
    "shorter calls": "a" + "()" * 450,
    "spaces": " " * 10_000_000 + "1",
}


@pytest.mark.parametrize("expression", COSTLY.values(), ids=COSTLY)
def test_costly_expressions_are_refused(expression: str) -> None:
    assert use_calculator(expression) is None


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_costly_expressions_need_neither_time_nor_memory() -> None:
    """All of them in one process that may use two seconds of processor time and little memory."""
    import resource

    script = (
        "import sys, json; from nanochat.calculator import use_calculator\n"
        "assert all(use_calculator(text) is None for text in json.load(sys.stdin)); print('done')"
    )

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))

    finished = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(list(COSTLY.values())),
        cwd=TREE_ROOT,
        preexec_fn=limits,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stdout.strip()) == (0, "done"), finished.stderr


def test_the_limits_leave_room_for_what_a_model_asks() -> None:
    assert use_calculator("+".join(["12"] * 60)) == "720"
    assert use_calculator(f"{'9' * 40} * {'9' * 40}") == str(int("9" * 40) ** 2)
    text = "the quick brown fox " * 20
    assert use_calculator(f"{text!r}.count('o')") == str(text.count("o"))


def test_odd_spelling_warns_nobody(recwarn: pytest.WarningsRecorder) -> None:
    assert use_calculator(r"'a\d'.count('d')") == "1"
    assert use_calculator("1if 1else 2") is None
    assert not recwarn.list
