"""The whole contract, asked of any tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bughunt.content.clauses import Clause, load_clauses
from bughunt.errors import BughuntError
from bughunt.hunt.judging import open_judge
from bughunt.judge.bug_files import FilesUnusable
from bughunt.judge.contract import Contract
from bughunt.judge.control import ControlUnusable


@dataclass(frozen=True)
class Asked:
    """A clause, and how the tree breaks it; empty where it keeps it."""

    clause: Clause
    message: str


def chosen_clauses(slugs: Iterable[str]) -> list[Clause]:
    """The clauses of these slugs, all of them without. Raises BughuntError for a slug that there is not."""
    clauses = {clause.slug: clause for clause in load_clauses()}
    for slug in slugs:
        if slug not in clauses:
            raise BughuntError(f"There is no clause “{slug}”.", f"The clauses are: {', '.join(clauses)}.")
    return [clauses[slug] for slug in slugs] or list(clauses.values())


def ask_clean(contract: Contract, clauses: Sequence[Clause], seed: int) -> None:
    """Has the clean tree measured. Raises BughuntError where it, or a clause's file, fails."""
    try:
        contract.ask_clean(clauses, seed)
    except (ControlUnusable, FilesUnusable) as error:
        raise BughuntError(f"A clause fails on the clean tree: {error}", "Repair that first.") from error


def ask_all(clauses: Sequence[Clause], tree: Path, seed: int) -> list[Asked]:
    """Asks each clause of `tree`, as a check does. Raises BughuntError where the clean tree fails."""
    with open_judge(tree.parent / ".bughunt") as judge:
        judge.prepare([], tree, clauses)
        ask_clean(judge.contract, clauses, seed)
        outcomes = judge.contract.measured(clauses, tree, seed)
        says = {clause: judge.contract.says(clause, outcome, seed) for clause, outcome in outcomes.items()}
    return [Asked(clause, says.get(clause, "not measured: the code hangs")) for clause in clauses]
