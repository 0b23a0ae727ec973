"""Mistakes in what is done at all: a statement that is missing, or comes too early."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import libcst as cst

from bughunt.author.mutation.bindings import Bindings, bindings, bound_before
from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source, small_statements

OPERATORS = Operators()

_NOTHING_YET = ("None", "0", "0.0", "[]", "{}", '""', "False", "set()", "()", "-1", "deque()")
_LEAVING = (cst.Raise, cst.Del, cst.Break, cst.Continue)


@OPERATORS.operator("state not reset", "`self.x = None`, `= 0`, `= []` … left out, but in `__init__`")
def _not_reset(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Assign) and source.text(node.value) in _NOTHING_YET:
        function = source.outer_function(node)
        if _changes_an_object(node) and function is not None and function.name.value != "__init__":
            yield source.replaced(node, "pass")


@OPERATORS.operator(
    "statement left out",
    "a call, an assignment to an attribute or item or to a name once more, `+=`, `raise`, `del`, `break` …",
)
def _left_out(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if not isinstance(node, cst.BaseSmallStatement) or source.outer_function(node) is None:
        return
    call = isinstance(node, cst.Expr) and not isinstance(
        node.value, (cst.SimpleString, cst.ConcatenatedString)
    )
    again = isinstance(node, cst.Assign) and (_changes_an_object(node) or _rebinds(node, source))
    annotated = isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Attribute) and node.value
    if call or again or annotated or isinstance(node, (cst.AugAssign, *_LEAVING)):
        yield source.replaced(node, "pass")


def _changes_an_object(node: cst.Assign) -> bool:
    return any(isinstance(one.target, (cst.Attribute, cst.Subscript)) for one in node.targets)


def _rebinds(node: cst.Assign, source: Source) -> bool:
    """Has each name that is assigned a value before?"""
    earlier = bound_before(node, source)
    assigned = bindings(node, source).written
    return bool(assigned) and assigned <= earlier


@OPERATORS.operator("early return left out", "a `return` inside a branch, a loop or another block left out")
def _no_return(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Return):
        line = source.parents[node]
        block = source.parents[line]
        if not isinstance(source.parents.get(block), cst.FunctionDef):
            yield source.replaced(node, "pass")


@OPERATORS.operator("result lost", "`return x` → `return None`")
def _lost(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Return) and node.value is not None and source.text(node.value) != "None":
        start, end = source.span(node)
        yield Edit(start, end, "return None")


@OPERATORS.operator("statements exchanged", "two neighbours of which one uses what the other changes")
def _exchanged(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if not isinstance(node, cst.IndentedBlock) or source.outer_function(node) is None:
        return
    small = small_statements(node.body)
    for one, other in pairwise(small):
        if one is None or other is None or not _may_be_exchanged(one, other, source):
            continue
        (start, one_end), (other_start, end) = source.span(one), source.span(other)
        between = source.content[one_end:other_start].decode()
        yield Edit(start, end, f"{source.text(other)}{between}{source.text(one)}")


_EXCHANGED = (cst.Expr, cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Del)


def _may_be_exchanged(one: cst.CSTNode, other: cst.CSTNode, source: Source) -> bool:
    if not (isinstance(one, _EXCHANGED) and isinstance(other, _EXCHANGED)):
        return False
    first, second = bindings(one, source), bindings(other, source)
    # What has no value yet cannot be used: that would be an error at once.
    new = first.written - bound_before(one, source)
    return _depend(first, second) and not new & second.read


def _depend(first: Bindings, second: Bindings) -> bool:
    return bool(first.changed & (second.read | second.changed) or second.changed & first.read)
