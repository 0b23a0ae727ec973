"""Making all mutants of a file, or of a tree."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import libcst as cst

from bughunt.author.mutation.exclusions import is_excluded, is_excluded_file
from bughunt.author.mutation.mutant import Edit, Mutant
from bughunt.author.mutation.operators import OPERATORS
from bughunt.author.mutation.source import Source
from bughunt.content.tree import tree_files

_LINE = cst.SimpleStatementLine

# What a statement that mentions it asks of a machine.
_NEEDS = {
    "cuda": re.compile(r"cuda|nccl", re.IGNORECASE),
    "mps": re.compile(r"\bmps\b"),
    "network": re.compile(r"urllib|urlopen|https?://\S+\"|requests\.|socket"),
}


def files_with_mutants(tree: Path) -> list[str]:
    """The Python files of a tree that mutants are made of."""
    return [name for name in tree_files(tree) if name.endswith(".py") and not is_excluded_file(name)]


def mutants_of_tree(tree: Path, files: Iterable[str]) -> dict[str, list[Mutant]]:
    """The mutants of each of the files, in the order of the text."""
    return {name: list(mutants_of(name, (tree / name).read_bytes())) for name in files}


def mutants_of(path: str, content: bytes) -> Iterator[Mutant]:
    """The mutants of one file; none is another's equal, none is the clean code or no Python."""
    source = Source(path, content)
    numbers: Counter[tuple[str, ...]] = Counter()
    seen = _Seen(content)
    for node in _to_change(source.module, source):
        for operator in OPERATORS:
            for edit in operator.mistakes(node, source):
                if not seen.is_new(edit, _unit(node, edit, source)):
                    continue
                before, after = _changed_lines(content, edit)
                scope = source.scope(node)
                same = (scope, operator.name, before, after)
                number = numbers[same]
                numbers[same] += 1
                yield Mutant(
                    path, scope, operator.name, source.line(edit.start), before, after, number, edit,
                    _needs(node, source),
                )  # fmt: skip


def _to_change(node: cst.CSTNode, source: Source) -> Iterator[cst.CSTNode]:
    if not is_excluded(node, source):
        yield node
        for child in source.children(node):
            yield from _to_change(child, source)


def _unit(node: cst.CSTNode, edit: Edit, source: Source) -> tuple[int, int]:
    """What is compared to tell whether an edit changes anything: a function, or a statement."""
    line = next((one for one in (node, *source.ancestors(node)) if isinstance(one, _LINE)), None)
    for whole in (source.outer_function(node), line):
        if whole is not None:
            start, end = source.span(whole)
            if start <= edit.start and edit.end <= end:
                return source.content.rfind(b"\n", 0, start) + 1, end
    return 0, len(source.content)


@dataclass
class _Seen:
    """What the parts of a file mean, clean and changed."""

    content: bytes
    meanings: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def is_new(self, edit: Edit, unit: tuple[int, int]) -> bool:
        """Does the edit make Python of another meaning than the clean code's and any edit's before?"""
        start, end = unit
        clean = self.content[start:end]
        if unit not in self.meanings:
            self.meanings[unit] = {_meaning(clean)}
        try:
            meaning = _meaning(Edit(edit.start - start, edit.end - start, edit.text).of(clean))
        except (SyntaxError, ValueError):
            return False
        if meaning in self.meanings[unit]:
            return False
        self.meanings[unit].add(meaning)
        return True


def _meaning(text: bytes) -> str:
    return ast.dump(ast.parse(textwrap.dedent(text.decode())))


def _changed_lines(content: bytes, edit: Edit) -> tuple[str, str]:
    """The lines that the edit is in, before it and after it."""
    start = content.rfind(b"\n", 0, edit.start) + 1
    end = content.find(b"\n", edit.end)
    end = len(content) if end < 0 else end
    clean = content[start:end]
    changed = Edit(edit.start - start, edit.end - start, edit.text).of(clean)
    before, after = (_dedented(text.decode()) for text in (clean, changed))
    return before, after


def _dedented(text: str) -> str:
    return "\n".join(line.rstrip() for line in textwrap.dedent(text).splitlines()).strip("\n")


def _needs(node: cst.CSTNode, source: Source) -> str:
    """What the statement, or a condition that it is under, asks of a machine."""
    texts = []
    for one in (node, *source.ancestors(node)):
        if isinstance(one, cst.BaseSmallStatement):
            texts.append(source.text(one))
        elif isinstance(one, (cst.If, cst.IfExp, cst.While)):
            texts.append(source.text(one.test))
    return ", ".join(name for name, pattern in _NEEDS.items() if any(map(pattern.search, texts)))
