"""Mistakes in what is written down: numbers, switches, keys and modes, dtypes, defaults."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.operators.registry import Operators
from bughunt.author.mutation.source import Source, number_of

OPERATORS = Operators()

_DTYPES = {
    "int32": "int64", "int64": "int32", "long": "int32", "int": "int64", "uint8": "int8", "uint16": "int16",
    "float32": "bfloat16", "float64": "float32", "bfloat16": "float32", "float16": "float32", "bool": "uint8",
}  # fmt: skip
_WORKED_OUT = (cst.Name, cst.Attribute, cst.Call, cst.Tuple)
_DTYPE_HOMES = ("torch", "np", "numpy")


@OPERATORS.operator("dtype changed", "`torch.int32` ↔ `torch.int64`, `float32` ↔ `bfloat16` …")
def _dtype(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if (
        isinstance(node, cst.Attribute)
        and isinstance(node.value, cst.Name)
        and node.value.value in _DTYPE_HOMES
        and node.attr.value in _DTYPES
    ):
        yield source.replaced(node.attr, _DTYPES[node.attr.value])


@OPERATORS.operator("whole number changed", "`n` → `n + 1`, `n - 1`")
def _integer(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    number = number_of(node)
    minus = source.parents.get(node)
    if number is None or (isinstance(minus, cst.UnaryOperation) and number_of(minus) is not None):
        return
    for other in (number + 1, number - 1):
        yield source.replaced(node, str(other))


@OPERATORS.operator("float changed", "`x` → `2 * x`, `0.0`; `0.0` → `1.0`")
def _float(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Float):
        number = float(node.evaluated_value)
        for other in (2 * number, 0.0) if number else (1.0,):
            yield source.replaced(node, repr(other))


@OPERATORS.operator("string changed", 'a key, mode or value: `"mean"` → `"meanx"`')
def _string(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.SimpleString) and not node.prefix.strip("rRbBuU"):
        text = ast.literal_eval(source.text(node))
        bare = text.decode("latin-1") if isinstance(text, bytes) else text
        if not any(letter == " " for letter in bare.strip(" ")) or _is_key(node, source):
            other = bare + "x"
            yield source.replaced(node, repr(other.encode("latin-1") if isinstance(text, bytes) else other))


def _is_key(node: cst.CSTNode, source: Source) -> bool:
    parent = source.parents.get(node)
    is_key = isinstance(parent, cst.DictElement) and parent.key is node
    return is_key or isinstance(parent, (cst.Index, cst.Comparison, cst.ComparisonTarget))


@OPERATORS.operator("switch flipped", "`True` ↔ `False`, as keywords' values, too")
def _switch(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Name) and node.value in ("True", "False"):
        yield source.replaced(node, str(node.value == "False"))


@OPERATORS.operator("default changed", "a parameter's default that is no constant → `None`; `None` → `0`")
def _default(node: cst.CSTNode, source: Source) -> Iterator[Edit]:
    if isinstance(node, cst.Param) and node.default is not None:
        if isinstance(node.default, cst.Name) and node.default.value == "None":
            yield source.replaced(node.default, "0")
        elif isinstance(node.default, _WORKED_OUT) and source.text(node.default) not in ("True", "False"):
            yield source.replaced(node.default, "None")
