"""What the commands of a hunt come to: plain records, for others to say and to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bughunt.content.level import Bug, Level

if TYPE_CHECKING:
    from bughunt.hunt.rest import Rest
    from bughunt.judge.verdict import Verdict
    from bughunt.workspace.rescue import Rescue


@dataclass(frozen=True)
class Started:
    """How a level was started; `rescue` is of what a fresh start overwrote."""

    level: Level
    workspace: Path
    how: Literal["new", "resumed", "fresh"]
    guided: bool
    rescue: Rescue | None = None


@dataclass(frozen=True)
class Hint:
    """A hint of `bug`: the `number`th (from 1) of its ladder."""

    bug: Bug
    number: int
    text: str


@dataclass(frozen=True)
class Checked:
    """The verdicts of one check, and what became of the rest. `completed`: by it the level is complete that
    was not before."""

    level: Level
    verdicts: list[Verdict]
    seed: int
    rest: Rest
    completed: bool

    @property
    def fixed(self) -> int:
        return sum(verdict.kind == "fixed" for verdict in self.verdicts)

    @property
    def undecided(self) -> bool:
        """Could the judge not do its work for one of them, or for the rest?"""
        return bool(self.rest.trouble) or any(verdict.kind == "unknown" for verdict in self.verdicts)

    @property
    def all_fixed(self) -> bool:
        return self.fixed == len(self.verdicts)

    @property
    def all_well(self) -> bool:
        """Are all of them fixed, and is nothing broken besides?"""
        return self.all_fixed and self.rest.as_it_was


@dataclass(frozen=True)
class Reset:
    """What a reset does. `reopened` lists other bugs last seen fixed whose files go back, too."""

    level: Level
    bug: Bug | None
    files: tuple[str, ...]
    reopened: tuple[str, ...]
    rescue: Rescue | None = None


@dataclass(frozen=True)
class Restored:
    """What was brought back, and the rescue of what that overwrote."""

    rescue: Rescue
    overwritten: Rescue | None


@dataclass(frozen=True)
class Solution:
    """The fix as a diff from the level's start. `free` when the bug was solved before it was opened."""

    bug: Bug
    diff: str
    free: bool
