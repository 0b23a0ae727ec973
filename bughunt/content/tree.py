"""The files of a tree, and the functions and classes in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path


def tree_files(tree: Path) -> Iterator[str]:
    """The tree's files in a fixed order, as POSIX paths; what running it leaves behind is passed over."""
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree)
        if path.is_file() and not is_by_product(relative.as_posix()):
            yield relative.as_posix()


def is_by_product(path: str) -> bool:
    """Is this file (relative to a tree) something that running the tree, or a tool, leaves behind?"""
    parts = path.split("/")
    in_tools_folder = any(part == "__pycache__" or part.startswith(".") for part in parts[:-1])
    return parts[0] == "runs" or in_tools_folder or path.endswith((".pyc", ".pyo"))


def definitions(source: str) -> set[str]:
    """The dotted names of the functions and classes that Python source defines, methods included.

    Raises SyntaxError for what is no Python, and ValueError for what holds a null byte.
    """
    return set(_names(ast.parse(source).body, ""))


def _names(body: Sequence[ast.stmt], scope: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield scope + node.name
            yield from _names(node.body, f"{scope}{node.name}.")
