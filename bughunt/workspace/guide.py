"""`--guided`: a neutral comment above each function that one of the level's bugs lives in."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bughunt.content.level import Bug
from bughunt.errors import BughuntError


def marked(texts: Mapping[str, bytes], bugs: Sequence[Bug]) -> dict[str, bytes]:
    """The files `texts` with the comments in them."""
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for bug in bugs:
        for place in bug.card.where:
            places[place.file][place.function].append(bug.id)
    commented = dict(texts)
    for file, functions in places.items():
        source = texts[file].decode("utf-8")
        commented[file] = _marked(source, file, functions).encode("utf-8")
    return commented


def _marked(source: str, file: str, functions: dict[str, list[str]]) -> str:
    lines = source.splitlines(keepends=True)
    starts = {_first_line(source, file, function): ids for function, ids in functions.items()}
    for line in sorted(starts, reverse=True):
        text = lines[line - 1]
        indent = text[: len(text) - len(text.lstrip())]
        ids = " and ".join(sorted(starts[line]))
        lines.insert(line - 1, f"{indent}# bughunt {ids}: look closely at what follows.\n")
    return "".join(lines)


def _first_line(source: str, file: str, function: str) -> int:
    """The 1-based line where the definition of `function` (a dotted name) begins, decorators included."""
    scope: list[ast.stmt] = ast.parse(source).body
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None = None
    for name in function.split("."):
        found = [
            child
            for child in scope
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and child.name == name
        ]
        if not found:
            raise BughuntError(f"{file} has no {function} to mark.")
        node = found[0]
        scope = node.body
    assert node is not None
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
