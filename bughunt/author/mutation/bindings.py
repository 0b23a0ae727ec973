"""Which names a statement gives values to, changes and reads; and which have a value before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import libcst as cst

from bughunt.author.mutation.source import Source

_UNPACKED = (cst.Tuple, cst.List, cst.Element, cst.StarredElement)
_NAMED_OTHERWISE = (cst.Param, cst.FunctionDef, cst.ClassDef, cst.ImportAlias, cst.AsName, cst.NameItem)


@dataclass(frozen=True)
class Bindings:
    """`written`: plain names that are assigned; `changed`: those, and the objects (`self.rows`) that are
    assigned to or have a method called for its effect; `read`: names and attributes whose value is used."""

    written: frozenset[str]
    changed: frozenset[str]
    read: frozenset[str]


def bindings(statement: cst.CSTNode, source: Source) -> Bindings:
    written, changed, read = set[str](), set[str](), set[str]()
    for node in source.walk(statement):
        if isinstance(node, cst.Name):
            if is_written(node, source):
                written.add(node.value)
            elif is_read(node, source):
                read.add(node.value)
        elif isinstance(node, cst.Attribute):
            (changed if is_written(node, source) else read).add(source.text(node))
        elif isinstance(node, cst.Subscript) and is_written(node, source):
            changed.add(source.text(node.value))
    if isinstance(statement, cst.AugAssign):
        read |= {source.text(statement.target)}
    if isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Call):
        function = statement.value.func
        if isinstance(function, cst.Attribute):
            changed.add(source.text(function.value))
    return Bindings(frozenset(written), frozenset(changed | written), frozenset(read))


def is_written(node: cst.CSTNode, source: Source) -> bool:
    """Is this a target: of an assignment, a loop, a `with` or a comprehension?"""
    parent = source.parents.get(node)
    while isinstance(parent, _UNPACKED):
        node, parent = parent, source.parents.get(parent)
    if isinstance(parent, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr)):
        return parent.target is node
    if isinstance(parent, (cst.For, cst.CompFor)):
        return parent.target is node
    return isinstance(parent, cst.AsName)


def is_read(node: cst.Name, source: Source) -> bool:
    """Is this the use of a variable?"""
    parent = source.parents.get(node)
    if isinstance(parent, cst.Attribute):
        return parent.value is node
    if isinstance(parent, cst.Arg):
        return parent.value is node
    if isinstance(parent, cst.Param):
        return parent.default is node
    return not isinstance(parent, _NAMED_OTHERWISE) and not is_written(node, source)


def bound_before(node: cst.CSTNode, source: Source) -> frozenset[str]:
    """The names of the functions around `node` that have a value before it in the text."""
    start = source.span(node)[0]
    functions = [one for one in source.ancestors(node) if isinstance(one, cst.FunctionDef)]
    return frozenset(
        name for function in functions for name, place in bound_names(function, source) if place < start
    )


@lru_cache(maxsize=1024)
def bound_names(function: cst.FunctionDef, source: Source) -> tuple[tuple[str, int], ...]:
    """The parameters and local variables of a function, each with where it is bound; no comprehension's."""
    return tuple(_bound_names(function, source))


def _bound_names(function: cst.FunctionDef, source: Source) -> Iterator[tuple[str, int]]:
    for node in source.walk(function):
        if isinstance(node, cst.Param):
            yield node.name.value, source.span(node)[0]
        elif (
            isinstance(node, cst.Name)
            and is_written(node, source)
            and not any(isinstance(one, cst.CompFor) for one in _up_to(function, node, source))
        ):
            yield node.value, source.span(node)[0]


def _up_to(function: cst.FunctionDef, node: cst.CSTNode, source: Source) -> Iterator[cst.CSTNode]:
    for one in source.ancestors(node):
        if one is function:
            return
        yield one
