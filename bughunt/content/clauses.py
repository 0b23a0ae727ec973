"""The contract's clauses: what any version of the tree must keep.

challenges/contract/<slug>/clause.toml    the card; the measurement, measure.py, lies beside it
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from bughunt.content.cards import Line, Module, Text
from bughunt.content.installed import challenges_folder
from bughunt.content.reading import fault, read

Part = Literal[
    "tokenizer", "data", "model", "optimizers", "training",
    "fine-tuning", "engine", "chat", "checkpoints", "evaluation",
]  # fmt: skip


class ClauseCard(Struct, frozen=True, forbid_unknown_fields=True):
    """What `clause.toml` says. `symptom` is what a user would notice if the clause were broken.

    Two numbers may be apart by `tolerance`, see `judge.comparing`; `spread` is the most that the clean tree
    and other right versions of it were seen to be apart, measured when the clause was written.
    """

    title: Line
    symptom: Annotated[Text, Meta(description="a text: what users would notice, and nothing of the cause")]
    part: Annotated[Part, Meta(description='a part of the tree, such as "engine"')]
    tolerance: Annotated[float, Meta(ge=0, description="a number, 0 or more, such as 1e-4")]
    spread: Annotated[float, Meta(ge=0, description="a number, 0 or more, such as 2e-7")]
    preload: Annotated[
        tuple[Module, ...],
        Meta(description='a list of the modules to import before it is measured, such as ["torch"], or []'),
    ]


@dataclass(frozen=True)
class Clause:
    """One clause: its slug and its folder."""

    slug: str
    folder: Path

    @cached_property
    def card(self) -> ClauseCard:
        """What `clause.toml` says; read when it is first asked for. Raises BughuntError for a faulty one."""
        card = read(self.source, ClauseCard)
        if card.spread > card.tolerance:
            raise fault(self.source, "`spread` is larger than `tolerance`: right code would be refused")
        return card

    @property
    def source(self) -> Path:
        """The file that the card is written in."""
        return self.folder / "clause.toml"

    @property
    def measure(self) -> Path:
        return self.folder / "measure.py"


def contract_folder() -> Path:
    """Where the installed clauses lie."""
    return challenges_folder() / "contract"


def load_clauses(folder: Path | None = None) -> tuple[Clause, ...]:
    """The clauses in `folder` (the installed ones by default), in the order of their slugs."""
    sources = sorted((folder or contract_folder()).glob("*/clause.toml"))
    return tuple(Clause(source.parent.name, source.parent) for source in sources)
