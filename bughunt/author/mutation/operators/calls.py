"""Mistakes in calls: arguments, the function that is called, a call that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import libcst as cst

from bughunt.author.mutation.exclusions import is_said
from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source, called

OPERATORS = Operators()

# Calls whose last argument may be missing.
_OPTIONAL_LAST = frozenset({
    "get", "pop", "strip", "lstrip", "rstrip", "split", "rsplit", "sum", "mean", "max", "min",
    "round", "getattr", "next", "range", "arange", "enumerate", "int", "setdefault", "iter", "size",
    "stride", "squeeze", "argmax", "argmin", "sort", "topk", "flatten", "clamp", "dumps",
    "any", "all",
})  # fmt: skip
# Methods that give back much the same value, whatever their arguments.
_PASSING_ON = frozenset({
    "to", "type", "float", "long", "int", "double", "half", "bfloat16", "detach", "clone",
    "contiguous", "cpu", "cuda", "flatten", "squeeze", "unsqueeze", "strip", "lstrip", "rstrip",
    "clamp", "clamp_min", "clamp_max", "view", "reshape", "transpose", "expand", "repeat", "tril",
    "triu", "encode", "decode", "split", "removeprefix", "removesuffix", "sum", "mean", "max", "min",
})  # fmt: skip
_PAIRS = [
    ("min", "max"), ("any", "all"), ("argmax", "argmin"), ("zeros", "ones"), ("zeros_", "ones_"),
    ("zeros_like", "ones_like"), ("new_zeros", "new_ones"), ("lstrip", "rstrip"), ("add_", "sub_"),
    ("mul_", "div_"), ("startswith", "endswith"), ("sum", "mean"), ("floor", "ceil"), ("sin", "cos"),
    ("tril", "triu"), ("appendleft", "append"), ("popleft", "pop"), ("upper", "lower"), ("exp", "log"),
    ("find", "rfind"), ("partition", "rpartition"), ("removeprefix", "removesuffix"), ("keys", "values"),
    ("maximum", "minimum"), ("clamp_min", "clamp_max"), ("sqrt", "square"), ("add", "discard"),
    ("extend", "append"), ("split", "rsplit"), ("sqrt_", "square_"), ("amax", "amin"), ("search", "match"),
]  # fmt: skip
_ONE_WAY = {"strip": "rstrip", "sorted": "list", "round": "int", "fullmatch": "match", "float": "bfloat16"}
_OTHERS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])} | _ONE_WAY


@OPERATORS.operator("arguments swapped", "`f(a, b)` → `f(b, a)`, of neighbours")
def _swapped(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Call):
        plain = [argument for argument in node.args if not argument.star and not argument.keyword]
        for one, other in pairwise(plain):
            start, end = source.span(one.value)[0], source.span(other.value)[1]
            start, end = _outside(one, start, source), _end_outside(other, end, source)
            yield Edit(start, end, f"{source.operand(other.value)}, {source.operand(one.value)}")


def _outside(argument: cst.Arg, start: int, source: Source) -> int:
    """Where the argument begins, with its parentheses."""
    return source.span(argument)[0] if getattr(argument.value, "lpar", ()) else start


def _end_outside(argument: cst.Arg, end: int, source: Source) -> int:
    if not getattr(argument.value, "lpar", ()):
        return end
    return source.content.index(b")", end) + 1


@OPERATORS.operator(
    "argument dropped", "`f(x, key=y)` → `f(x)`; the last of `get`, `strip`, `sum` … likewise"
)
def _dropped(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if not isinstance(node, cst.Call):
        return
    for index, argument in enumerate(node.args):
        last = index == len(node.args) - 1 and called(node) in _OPTIONAL_LAST
        if argument.star or not (argument.keyword or last) or is_said(argument, node):
            continue
        start, end = source.span(argument)
        if index + 1 < len(node.args):
            yield Edit(start, source.span(node.args[index + 1])[0], "")
        elif index:
            # What stands between two arguments goes with the second.
            before = node.args[index - 1].value
            yield Edit(
                _end_outside(node.args[index - 1], source.span(before)[1], source),
                _close(argument, end, source),
                "",
            )
        else:
            yield Edit(start, _close(argument, end, source), "")


def _close(argument: cst.Arg, end: int, source: Source) -> int:
    """Where the last argument ends: before a comma behind it, which may stay."""
    return max(end, _end_outside(argument, source.span(argument.value)[1], source))


@OPERATORS.operator("call left out", "`x.detach()` → `x`, `f(x)` → `x`")
def _left_out(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if not isinstance(node, cst.Call) or isinstance(source.parents.get(node), (cst.Expr, cst.Decorator)):
        return
    function = node.func
    if isinstance(function, cst.Attribute) and not _is_module(function.value, source):
        if not node.args or function.attr.value in _PASSING_ON:
            yield source.replaced(node, source.operand(function.value))
    elif len(node.args) == 1 and _is_passed_on(node.args[0]):
        yield source.replaced(node, source.operand(node.args[0].value))


def _is_passed_on(argument: cst.Arg) -> bool:
    """May what is made of the argument be the argument itself?"""
    return not (argument.star or argument.keyword or isinstance(argument.value, cst.GeneratorExp))


def _is_module(node: cst.BaseExpression, source: Source) -> bool:
    """Is this a module, or an object that nobody means by itself?"""
    text = source.text(node)
    return text.split(".")[0] in source.modules or text in ("self", "cls", "super()", "Path")


@OPERATORS.operator("method swapped", "`min` ↔ `max`, `any` ↔ `all`, `append` ↔ `extend`, `zeros` ↔ `ones` …")
def _method(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Call) and called(node) in _OTHERS:
        name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        yield source.replaced(name, _OTHERS[called(node)])
        if called(node) == "append" and isinstance(node.func, cst.Attribute):
            yield source.replaced(name, "extend")
