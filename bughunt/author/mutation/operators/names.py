"""Mistakes in whom one means: a name beside the right one."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.bindings import is_read
from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.neighbours import neighbouring_attribute, neighbouring_name
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source

OPERATORS = Operators()


@OPERATORS.operator(
    "neighbouring name taken",
    "a variable, parameter or constant → one of the function that was made with it or is named like it",
)
def _variable(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Name) and is_read(node, source):
        other = neighbouring_name(node, source)
        if other is not None:
            yield source.replaced(node, other)


@OPERATORS.operator("neighbouring attribute taken", "`self.a` → `self.b`, used here and named like it")
def _attribute(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Attribute):
        other = neighbouring_attribute(node, source)
        if other is not None:
            yield source.replaced(node.attr, other)
