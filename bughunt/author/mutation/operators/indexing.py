"""Mistakes in which part of something is meant: slices, indices, ranges, axes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source, called, number_of

OPERATORS = Operators()

_AXES = frozenset({"dim", "axis", "dims"})
_INDICES = (cst.Name, cst.Attribute, cst.BinaryOperation)


@OPERATORS.operator("slice bound off by one", "`x[a:b]` → `x[a + 1:b]`, `x[a:b - 1]` …")
def _slice(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield from moved(bound, source, +1, -1)


@OPERATORS.operator("index off by one", "`x[i]` → `x[i + 1]`")
def _index(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Index) and isinstance(node.value, _INDICES):
        yield from moved(node.value, source, +1)


@OPERATORS.operator("range off by one", "`range(n)` → `range(n - 1)`, `range(n + 1)`; the start likewise")
def _range(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Call) and called(node) in ("range", "arange") and node.args:
        bounds = [argument.value for argument in node.args[:2] if not argument.star and not argument.keyword]
        for bound in bounds:
            yield from moved(bound, source, +1, -1)


@OPERATORS.operator("axis changed", "`dim=-1` → `dim=0`, `dim=0` → `dim=1`")
def _axis(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Arg) and node.keyword and node.keyword.value in _AXES:
        axis = number_of(node.value)
        if axis is not None:
            yield source.replaced(node.value, "0" if axis else "1")


def moved(bound: cst.BaseExpression, source: Source, *steps: int) -> Iterator[Edit]:
    """The bound, a step further on or back; a number is written as the number that it then is."""
    number = number_of(bound)
    for step in steps:
        if number is not None:
            yield source.replaced(bound, str(number + step))
        else:
            yield source.replaced(bound, f"{source.operand(bound)} {'+' if step > 0 else '-'} 1")
