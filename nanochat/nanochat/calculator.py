"""The calculator that the model calls: arithmetic, and counting with `"text".count("part")`.

    use_calculator("(12 + 30) * 2")              # "84"
    use_calculator("7 / 4")                      # "1.75"
    use_calculator('"strawberry".count("r")')    # "3"
    use_calculator("__import__('os')")           # None

An expression is parsed and its tree walked: nothing is ever handed to `eval`. Its length, its nesting and the
size of every number on the way are limited, so that no expression takes long.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from decimal import Decimal

MAX_EXPRESSION_LENGTH = 1000  # characters
MAX_DEPTH = 100  # operations within operations
MAX_BITS = 333  # of an integer: 100 decimal digits
MAX_RESULT_LENGTH = 100  # characters
ROUNDED_TO = 6  # decimal places, or significant digits of a number below SMALL
SMALL = Decimal("0.001")

Number = int | float


class _Refused(Exception):
    """The expression is not one that the calculator computes."""


def use_calculator(expression: str) -> str | None:
    """The value of an expression as text, or None if it is not arithmetic, has no value or is too large.

    Numbers are integers and decimals; the operators are + - * / // % ** and parentheses, as in Python.
    Integers are exact. Other results, those of / among them, are rounded to six decimal places (below 0.001
    to six significant digits) and written plainly: no exponent, no trailing zeros, no trailing point.
    """
    if len(expression) > MAX_EXPRESSION_LENGTH:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's, about odd spelling
            tree = ast.parse(expression.strip(), mode="eval")
        return _format(_evaluate(tree.body))
    except (_Refused, SyntaxError, ValueError, ArithmeticError, MemoryError, RecursionError):
        return None


def _evaluate(node: ast.expr, depth: int = 0) -> Number:
    if depth > MAX_DEPTH:
        raise _Refused
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _limited(value)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _evaluate(operand, depth + 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_evaluate(operand, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _limited(OPERATORS[type(op)](_evaluate(left, depth + 1), _evaluate(right, depth + 1)))
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str() as text), attr="count"),
            args=[ast.Constant(value=str() as part)],
            keywords=[],
        ):
            return text.count(part)
        case _:
            raise _Refused


def _limited(value: Number | complex) -> Number:
    """The value itself, if it is a number of a size to go on with."""
    if isinstance(value, int) and value.bit_length() <= MAX_BITS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise _Refused


def _power(base: Number, exponent: Number) -> Number | complex:
    """`base ** exponent`, refused before it is computed if it would be a huge integer."""
    integers = isinstance(base, int) and isinstance(exponent, int)
    if integers and abs(base) > 1 and (abs(base).bit_length() - 1) * exponent > MAX_BITS:
        raise _Refused
    return base**exponent


OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number | complex]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


def _format(value: Number) -> str:
    if isinstance(value, int):
        text = str(value)
    else:
        exact = Decimal(value)
        kind = "f" if abs(exact) >= SMALL else "g"
        text = f"{Decimal(f'{exact:.{ROUNDED_TO}{kind}}'):f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if text == "-0":
            text = "0"
    if len(text) > MAX_RESULT_LENGTH:
        raise _Refused
    return text
