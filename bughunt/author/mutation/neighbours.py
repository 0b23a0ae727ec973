"""The name that somebody might take instead: made with the right one, or named like it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import libcst as cst

from bughunt.author.mutation.bindings import bound_names, is_written
from bughunt.author.mutation.source import Source


def neighbouring_name(node: cst.Name, source: Source) -> str | None:
    """A variable or constant that may be taken for the one at `node`, which is read there; or None."""
    if _is_constant(node.value):
        constants = [name for name in _constants(source) if _alike(name, node.value)]
        return _next(node.value, constants)
    function = next((one for one in source.ancestors(node) if isinstance(one, cst.FunctionDef)), None)
    if function is None:
        return None
    start = source.span(node)[0]
    bound = [name for name, place in bound_names(function, source) if place < start]
    if node.value not in bound or node.value in ("self", "cls"):
        return None
    for group in (_made_together(node.value, function, source), _of_one_type(node.value, function, source)):
        if (other := _next(node.value, [name for name in group if name in bound])) is not None:
            return other
    return _next(node.value, [name for name in dict.fromkeys(bound) if _alike(name, node.value)])


def neighbouring_attribute(node: cst.Attribute, source: Source) -> str | None:
    """An attribute that is used of the same object nearby and named like the one at `node`; or None."""
    base = source.text(node.value)
    if base.split(".")[0] in source.modules or is_written(node, source) or _is_called(node, source):
        return None
    kind = cst.ClassDef if base == "self" else cst.FunctionDef
    around = [one for one in source.ancestors(node) if isinstance(one, kind)]
    if not around:
        return None
    used = [
        one.attr.value
        for one in source.walk(around[-1])
        if isinstance(one, cst.Attribute) and source.text(one.value) == base and not _is_called(one, source)
    ]
    return _next(node.attr.value, [name for name in dict.fromkeys(used) if _alike(name, node.attr.value)])


def _next(name: str, group: Sequence[str]) -> str | None:
    """The one after `name` in a group, the first after the last; None where there is no other."""
    others = list(dict.fromkeys(group))
    if name not in others or len(others) < 2:
        return None
    return others[(others.index(name) + 1) % len(others)]


def _made_together(name: str, function: cst.FunctionDef, source: Source) -> list[str]:
    """The names that are assigned in one go with it."""
    for node in source.walk(function):
        if isinstance(node, cst.Tuple) and is_written(node, source):
            names = [one.value.value for one in node.elements if isinstance(one.value, cst.Name)]
            names = [one for one in names if one != "_"]
            if name in names and len(names) > 1:
                return names
    return []


def _of_one_type(name: str, function: cst.FunctionDef, source: Source) -> list[str]:
    """The parameters with the same type hint."""
    hints = {
        one.name.value: source.text(one.annotation.annotation)
        for one in source.walk(function.params)
        if isinstance(one, cst.Param) and one.annotation is not None
    }
    return [one for one in hints if hints[one] == hints.get(name)]


def _alike(one: str, other: str) -> bool:
    """Do the names share a word, or differ by a number alone?"""
    return bool(_words(one) & _words(other)) or re.sub(r"\d", "", one) == re.sub(r"\d", "", other)


def _words(name: str) -> set[str]:
    return {word for word in name.lower().split("_") if len(word) > 1}


def _is_constant(name: str) -> bool:
    return name.isupper() and len(name) > 1


def _constants(source: Source) -> Iterable[str]:
    for line in source.module.body:
        for node in source.children(line) if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(node, (cst.Assign, cst.AnnAssign)):
                for one in source.walk(node):
                    if isinstance(one, cst.Name) and is_written(one, source) and _is_constant(one.value):
                        yield one.value


def _is_called(node: cst.Attribute, source: Source) -> bool:
    parent = source.parents.get(node)
    return isinstance(parent, cst.Call) and parent.func is node
