"""Mistakes in sums: operators, the order of operands, signs, running totals."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source

OPERATORS = Operators()

_OTHERS = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "//", "**": "*"} | {
    "&": "|",
    "|": "&",
    "<<": ">>",
    ">>": "<<",
}
# These bind as tightly as what they become.
_OF_ONE_RANK = frozenset({"+", "-", "*", "/", "//", "%", "<<", ">>"})
_ORDERED = frozenset({"-", "/", "//", "%", "@", "**", "<<", ">>"})
_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.List, cst.Tuple, cst.Dict)


@OPERATORS.operator("operator changed", "`+` ↔ `-`, `*` ↔ `/`, `//` → `*`, `%` → `//`, `**` → `*` …")
def _other(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    # Of texts and lists every other operator is an error at once.
    if isinstance(node, cst.BinaryOperation) and not isinstance(node.left, _TEXTS):
        written = source.text(node.operator)
        if written in _OTHERS and not isinstance(node.right, _TEXTS):
            if written in _OF_ONE_RANK:
                yield source.replaced(node.operator, _OTHERS[written])
                return
            text = f"{source.operand(node.left)} {_OTHERS[written]} {source.operand(node.right)}"
            # What binds less tightly than before keeps its place only in parentheses.
            inner = isinstance(source.parents[node], cst.BinaryOperation) and not node.lpar
            yield source.replaced(node, f"({text})" if inner else text)


@OPERATORS.operator("operands swapped", "`a - b` → `b - a`; of `-`, `/`, `//`, `%`, `@`, `**`")
def _swapped(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.BinaryOperation) and not isinstance(node.left, _TEXTS):
        written = source.text(node.operator)
        if written in _ORDERED:
            left, right = source.operand(node.left), source.operand(node.right)
            yield source.replaced(node, f"{right} {written} {left}")


@OPERATORS.operator("sign dropped", "`-x` → `x`")
def _sign(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, (cst.Minus, cst.BitInvert)):
        yield source.replaced(node, source.operand(node.expression))


@OPERATORS.operator("running total changed", "`x += y` → `x -= y`, `x = y`; `*=` ↔ `/=` …")
def _total(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.AugAssign):
        written = source.text(node.operator).removesuffix("=")
        if written in _OTHERS and not isinstance(node.value, _TEXTS):
            yield source.replaced(node.operator, f"{_OTHERS[written]}=")
        yield source.replaced(node.operator, "=")
