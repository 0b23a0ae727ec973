"""Mistakes around a block: what holds for all of it is missing."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source, called

OPERATORS = Operators()

_GRADIENT_MODES = ("no_grad", "inference_mode", "enable_grad", "set_grad_enabled")


@OPERATORS.operator("decorator dropped", "`@torch.no_grad()`, `@torch.inference_mode()` left out")
def _decorator(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Decorator) and called(node.decorator) in _GRADIENT_MODES:
        yield source.replaced(node, "")


@OPERATORS.operator("context dropped", "`with torch.no_grad():` and other contexts without a name left out")
def _context(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.WithItem) and node.asname is None:
        yield source.replaced(node.item, '__import__("contextlib").nullcontext()')
