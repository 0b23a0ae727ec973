"""The rest: what must still hold besides the bugs that are repaired, and whether it does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bughunt.content.breaks import read_breaks, tree_hashes
from bughunt.content.clauses import Clause, load_clauses
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt.started import StartedLevel

if TYPE_CHECKING:
    from bughunt.judge.contract import Contract, Regression
    from bughunt.measure.outcomes import Flag


@dataclass(frozen=True)
class Rest:
    """What became of the clauses that were owed: `asked` are the slugs of those that were measured.

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


class Terms:
    """The clauses and what is on record of them, as they are when this is made: before any code of a
    workspace runs, which may change the files."""

    def __init__(self) -> None:
        self.clauses: tuple[Clause, ...] = ()
        self.trouble = ""
        try:
            clauses = load_clauses()
            self.titles = {clause.slug: clause.card.title for clause in clauses}
            self.record = read_breaks()
            self.clauses = clauses
        except BughuntError as error:
            self.titles = {}
            self.trouble = f"{error.message} {error.step}"
            return
        self.clean = tree_hashes(tree_folder())
        if file := self.record.changed_file(self.clean):
            changed = f"the clean code's {file} is not that of this version"
            self.trouble = f"The judge could not do its work here: {changed}. Install bughunt again."

    def titles_of(self, slugs: Iterable[str]) -> dict[str, str]:
        """The title of each clause; its slug where this version of the game does not have it any more."""
        return {slug: self.titles.get(slug, slug) for slug in slugs}


class Owing:
    """What the player of a level owes. It is made before any code of the level's workspace runs."""

    def __init__(self, terms: Terms, started: StartedLevel) -> None:
        self.terms = terms
        self._level = started.level
        self._start = started.workspace.start_hashes()

    def owed(self, started: StartedLevel, repaired: Collection[str]) -> list[Clause]:
        """The clauses owed when the bugs `repaired` are, by the files as they are now."""
        if not self.terms.clauses:
            return []
        unrepaired = {bug.id for bug in self._level.bugs} - set(repaired)
        return self.terms.record.owed(self.terms.clauses, unrepaired, self.changed_files(started))

    def changed_files(self, started: StartedLevel) -> set[str]:
        """The files that are neither as the level starts nor as in the clean code.

        Between these two lie the level's bugs alone, and what they break is not owed.
        """
        now = started.workspace.hashes(self._start)
        return {
            file
            for file in {**self._start, **now}
            if now.get(file) not in (self._start.get(file), self.terms.clean.get(file))
        }

    def ask_clean(
        self, contract: Contract, clauses: Sequence[Clause], seed: int, stop: Flag | None = None
    ) -> None:
        """Has the clean tree measured ahead. What keeps it from that is told when the rest is asked."""
        from bughunt.judge.bug_files import FilesUnusable
        from bughunt.judge.control import ControlUnusable

        with suppress(FilesUnusable, ControlUnusable):
            contract.ask_clean(clauses, seed, stop)

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

        clauses = self.owed(started, repaired)
        if self.terms.trouble and (clauses or not self.terms.clauses):
            return Rest(trouble=self.terms.trouble)
        rest = Rest()
        try:
            for seed in seeds if clauses else ():
                kept = contract.kept(clauses, started.path, seed, stop)
                rest = Rest(kept.asked, kept.regressions, kept.others)
                if rest.regressions:
                    break
        except FilesUnusable as error:
            return Rest(trouble=f"{OWN_FILES} {error}")
        except ControlUnusable as error:
            return Rest(trouble=f"The judge could not do its work here: {error}")
        return rest


def titles_of(slugs: Collection[str]) -> dict[str, str]:
    """The title of each clause; where there is none, nothing is read."""
    return Terms().titles_of(slugs) if slugs else {}
