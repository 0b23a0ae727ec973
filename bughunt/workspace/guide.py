"""`--guided`: a neutral comment above each function that one of the level's bugs lives in."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from bughunt.content.level import Bug
from bughunt.errors import BughuntError


def mark_bugs(workspace: Path, bugs: Sequence[Bug]) -> None:
    """Writes the comments into the files of `workspace`."""
    places: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for bug in bugs:
        for place in bug.card.where:
            places[place.file][place.function].append(bug.id)
    for file, functions in places.items():
        path = workspace / file
        source = path.read_text(encoding="utf-8")
        path.write_text(_marked(source, file, functions), encoding="utf-8")


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
