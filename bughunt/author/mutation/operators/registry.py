"""What an operator is, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from bughunt.author.mutation.mutant import Edit
from bughunt.author.mutation.source import Source

Mistakes = Callable[[cst.CSTNode, Source], Iterator[Edit]]


@dataclass(frozen=True)
class Operator:
    """`name` is part of a mutant's identity; `does` says in a line what becomes of what."""

    name: str
    does: str
    mistakes: Mistakes


class Operators(list[Operator]):
    """The operators of one module, in the order of their declaration."""

    def operator(self, name: str, does: str) -> Callable[[Mistakes], Mistakes]:
        def declare(mistakes: Mistakes) -> Mistakes:
            self.append(Operator(name, does, mistakes))
            return mistakes

        return declare
