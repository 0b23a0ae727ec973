"""What is asked of every mutant: plain data, which can be sent to another machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from bughunt.content.tree import tree_files

# What a file's top level is called where functions are named.
TOP = "<module>"


@dataclass(frozen=True)
class Question:
    """One clause with the inputs drawn for it. `digest` changes when it may ask something else.

    `clean` is what the clean tree answers, `seconds` how long that took at most, and `runs` the functions
    that were at work, each as its file and its name (`TOP` for a module's top level).
    """

    slug: str
    measure: str
    inputs: Any
    tolerance: float
    digest: str
    clean: Any = None
    seconds: float = 0.0
    runs: frozenset[tuple[str, str]] = frozenset()

    def nearness(self, file: str, function: str) -> int | None:
        """How near its code comes to a place: 0 is at it, 1 in the same file; None: it notices nothing there.

        A function is reached by what runs it. What is outside of all functions is reached by importing it.
        """
        here = {name for where, name in self.runs if where == file}
        if function in here:
            return 0
        methods = {name for name in here if name.startswith(f"{function}.")}
        if methods or (not function and here - {TOP}):
            return 0
        is_class = function and function[0].isupper() and "." not in function
        return 1 if here and (is_class or not function) else None


@dataclass(frozen=True)
class Plan:
    """The clean tree's files, the questions by their slugs, and the modules to load beforehand."""

    tree: Mapping[str, bytes]
    questions: Mapping[str, Question]
    preload: Sequence[str]

    @cached_property
    def place(self) -> str:
        """The same for plans that one workbench can serve, which has their tree and modules ready."""
        return sha256(f"{tree_digest(self.tree)} {sorted(self.preload)}".encode()).hexdigest()[:16]

    @cached_property
    def version(self) -> str:
        """The same for plans of one place that ask the same and know the same answers."""
        asked = [(one.slug, one.digest, one.seconds, repr(one.clean)) for one in self.questions.values()]
        return sha256(repr(sorted(asked)).encode()).hexdigest()[:16]

    def asking(self, questions: Iterable[Question]) -> Plan:
        return replace(self, questions={one.slug: one for one in questions})

    def clauses_for(self, file: str, function: str) -> list[str]:
        """The clauses that may notice a mutant there, the likeliest first, and of those the quickest."""
        near = [(one.nearness(file, function), one.seconds, one.slug) for one in self.questions.values()]
        return [slug for nearness, _, slug in sorted(one for one in near if one[0] is not None)]


def read_tree(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in tree_files(folder)}


def tree_digest(tree: Mapping[str, bytes]) -> str:
    whole = sha256()
    for name in sorted(tree):
        whole.update(f"{name}\0{sha256(tree[name]).hexdigest()}\0".encode())
    return whole.hexdigest()[:16]
