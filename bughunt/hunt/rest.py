"""The rest: what must still hold besides the bugs that are repaired, and whether it does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bughunt.content.breaks import read_breaks
from bughunt.content.clauses import Clause, load_clauses
from bughunt.content.installed import tree_folder
from bughunt.disk.files import same_contents
from bughunt.errors import BughuntError
from bughunt.hunt.started import StartedLevel

if TYPE_CHECKING:
    from bughunt.judge.contract import Contract, Regression
    from bughunt.measure.outcomes import Flag


@dataclass(frozen=True)
class Rest:
    """What became of the clauses that were owed: so many were `asked`.

    `others` were seen to differ as well as the `regressions`, and were not looked at again. `trouble` says
    why the judge could not do its work, if it could not.
    """

    asked: tuple[str, ...] = ()
    regressions: tuple[Regression, ...] = ()
    others: int = 0
    trouble: str = ""

    @property
    def as_it_was(self) -> bool:
        return not self.regressions and not self.trouble


class Owing:
    """Which clauses the player of a level owes. What is needed for that is read when this is made: code of a
    workspace may change it afterwards."""

    def __init__(self) -> None:
        self.clauses: tuple[Clause, ...] = ()
        self._unusable = ""
        try:
            clauses = load_clauses()
            for clause in clauses:
                _ = clause.card
            self._breaks = read_breaks()
            self.clauses = clauses
        except BughuntError as error:
            self._unusable = f"{error.message} {error.step}"

    @cached_property
    def _changed_in_tree(self) -> str | None:
        return self._breaks.changed_file_of(tree_folder())

    def owed(self, started: StartedLevel, repaired: Collection[str]) -> list[Clause]:
        """The clauses owed when the bugs `repaired` are, by the files as they are now."""
        if not self.clauses:
            return []
        unrepaired = {bug.id for bug in started.level.bugs} - set(repaired)
        return self._breaks.owed(self.clauses, unrepaired, changed_files(started))

    def ask_clean(
        self, contract: Contract, clauses: Sequence[Clause], seed: int, stop: Flag | None = None
    ) -> None:
        """Has the clean tree measured ahead. What keeps it from that is told when the rest is asked."""
        from bughunt.judge.bug_files import FilesUnusable
        from bughunt.judge.control import ControlUnusable

        try:
            contract.ask_clean(clauses, seed, stop)
        except (FilesUnusable, ControlUnusable):
            return

    def rest(
        self,
        contract: Contract,
        started: StartedLevel,
        repaired: Collection[str],
        seeds: Sequence[int],
        stop: Flag | None = None,
    ) -> Rest:
        """Asks what is owed, by one seed after the other until something is broken."""
        from bughunt.judge.bug_files import OWN_FILES, FilesUnusable
        from bughunt.judge.control import ControlUnusable

        if self._unusable:
            return Rest(trouble=self._unusable)
        if not (clauses := self.owed(started, repaired)):
            return Rest()
        if self._changed_in_tree is not None:
            changed = f"the clean code's {self._changed_in_tree} is not that of this version"
            return Rest(trouble=f"The judge could not do its work here: {changed}. Install bughunt again.")
        try:
            for seed in seeds:
                kept = contract.kept(clauses, started.path, seed, stop)
                rest = Rest(kept.asked, kept.regressions, kept.others)
                if rest.regressions:
                    break
        except FilesUnusable as error:
            return Rest(trouble=f"{OWN_FILES} {error}")
        except ControlUnusable as error:
            return Rest(trouble=f"The judge could not do its work here: {error}")
        return rest


def changed_files(started: StartedLevel) -> frozenset[str]:
    """The files that are neither as the level starts nor as in the clean code.

    Between these two lie the level's bugs alone, and what they break is not owed.
    """
    clean = tree_folder()
    return frozenset(
        file
        for file in started.workspace.edits()
        if not same_contents(_there(started.path / file), _there(clean / file))
    )


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def titles_of(slugs: Collection[str]) -> dict[str, str]:
    """The title of each clause; its slug where this version of the game does not have it any more."""
    titles: dict[str, str] = dict.fromkeys(slugs, "")
    for clause in load_clauses() if titles else ():
        if clause.slug in titles:
            titles[clause.slug] = clause.card.title
    return {slug: title or slug for slug, title in titles.items()}
