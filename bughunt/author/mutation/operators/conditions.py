"""Mistakes in what is asked: comparisons, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source

OPERATORS = Operators()

_BOUNDS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="} | {
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}


@OPERATORS.operator("comparison off by one", "`<` ↔ `<=`, `>` ↔ `>=`")
def _bound(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    yield from _compared(node, source, _BOUNDS)


@OPERATORS.operator("comparison negated", "`==` ↔ `!=`, `<` ↔ `>=`, `in` ↔ `not in`, `is` ↔ `is not` …")
def _negated(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    yield from _compared(node, source, _OPPOSITES)


def _compared(node: cst.CSTNode, source: Source, others: dict[str, str]) -> Iterator[Edit]:
    if isinstance(node, cst.ComparisonTarget):
        written = " ".join(source.text(node.operator).split())
        if written in others:
            yield source.replaced(node.operator, others[written])


@OPERATORS.operator("and/or", "`and` ↔ `or`")
def _and_or(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.BooleanOperation):
        other = "or" if isinstance(node.operator, cst.And) else "and"
        text = f"{source.operand(node.left)} {other} {source.operand(node.right)}"
        # In a chain it keeps its place only in parentheses.
        inner = isinstance(source.parents[node], cst.BooleanOperation) and not node.lpar
        yield source.replaced(node, f"({text})" if inner else text)


@OPERATORS.operator("condition inverted", "`if x` → `if not x`: `if`, `while`, `x if c else y`, `for … if`")
def _inverted(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, (cst.If, cst.While, cst.IfExp, cst.CompIf)):
        plain = isinstance(node.test, cst.Comparison) and len(node.test.comparisons) == 1
        negation = isinstance(node.test, cst.UnaryOperation) and isinstance(node.test.operator, cst.Not)
        # Other operators do the same to those.
        if not (plain or negation):
            yield source.replaced(node.test, f"not ({source.text(node.test)})")


@OPERATORS.operator("not dropped", "`not x` → `x`")
def _without_not(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        yield source.replaced(node, source.operand(node.expression))
