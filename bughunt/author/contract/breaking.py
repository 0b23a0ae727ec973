"""What breaks which clause: measured over the clean tree, bugs, levels and repairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bughunt.author.contract.asking import ask_clean
from bughunt.author.contract.touching import files_at_work
from bughunt.content.breaks import Breaks, tree_hashes
from bughunt.content.catalog import Catalog
from bughunt.content.clauses import Clause
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.disk.places import temporary_folder
from bughunt.errors import BughuntError
from bughunt.judge import Judge
from bughunt.judge.comparing import largest_difference
from bughunt.measure.outcomes import Failure
from bughunt.workspace.injection import inject
from bughunt.workspace.patches import apply_patch

Say = Callable[[str], None]


@dataclass
class Findings:
    """What was measured. `messages` says how a tree breaks a clause; `furthest` how many tolerances the clean
    tree and accepted repairs were from it at most; `faults` is what must not be."""

    breaks: Breaks
    messages: dict[tuple[str, str], str] = field(default_factory=dict)
    furthest: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@dataclass
class _Trees:
    """Measures trees, each on every seed."""

    judge: Judge
    clauses: Sequence[Clause]
    seeds: Sequence[int]
    findings: Findings

    def broken(self, name: str, tree: Path) -> tuple[set[str], set[str]]:
        """The clauses that a tree breaks on any seed, and those that it breaks on each."""
        each = [self._broken_by(name, tree, seed) for seed in self.seeds]
        return set().union(*each), set.intersection(*each)

    def expect_kept(self, name: str, tree: Path) -> None:
        any_seed, _ = self.broken(name, tree)
        for slug in sorted(any_seed):
            self.findings.faults.append(f"{name} breaks {slug}: {self.findings.messages[name, slug]}")

    def _broken_by(self, name: str, tree: Path, seed: int) -> set[str]:
        contract = self.judge.contract
        ask_clean(contract, self.clauses, seed)
        found = set()
        outcomes = contract.measured(self.clauses, tree, seed)
        for clause in self.clauses:
            if clause not in outcomes:
                self.findings.faults.append(f"{name} hangs, and {clause.slug} was not measured")
        for clause, outcome in outcomes.items():
            if message := contract.says(clause, outcome, seed):
                [again] = contract.measured([clause], tree, seed).values()
                if contract.says(clause, again, seed):
                    self.findings.messages[name, clause.slug] = message
                    found.add(clause.slug)
                else:
                    self.findings.faults.append(f"{name} breaks {clause.slug} at times: {message}")
            elif not isinstance(outcome, Failure):
                clean = contract.clean_answer(clause, seed)
                far = largest_difference(clean, outcome.data, clause.card.tolerance)
                self.findings.furthest[clause.slug] = max(far, self.findings.furthest.get(clause.slug, 0.0))
        return found


def measure_breaks(
    catalog: Catalog, clauses: Sequence[Clause], judge: Judge, seeds: Sequence[int], say: Say
) -> Findings:
    """Everything there is to know of the contract. This process must have run no torch operation."""
    tree = tree_folder()
    touches = {}
    for clause in clauses:
        say(f"What is at work in {clause.slug}")
        touches[clause.slug] = tuple(files_at_work(clause, tree, seeds[0]))
    findings = Findings(Breaks(tree_hashes(tree), touches, {}))
    trees = _Trees(judge, clauses, seeds, findings)
    bugs = [bug for level in catalog.levels for bug in level.bugs]
    judge.prepare(bugs, clauses=clauses)
    say("The clean tree")
    trees.expect_kept("the clean tree", tree)
    by_bug = {bug.id: _of_bug(trees, bug, say) for bug in bugs}
    by_patch = {}
    for bug in bugs:
        for patch in sorted((bug.folder / "fixes").glob("accept-*.patch")):
            say(f"{bug.id} {patch.stem}")
            with _repaired(bug, patch) as repaired:
                trees.expect_kept(f"{bug.id} {patch.stem}", repaired)
        for patch in sorted((bug.folder / "fixes").glob("breaks-*.patch")):
            say(f"{bug.id} {patch.stem}")
            by_patch[name_of(patch)] = _of_patch(trees, bug, patch)
    for level in catalog.levels:
        say(level.id)
        with temporary_folder() as folder:
            inject(folder / "tree", level.bugs)
            any_seed, _ = trees.broken(level.id, folder / "tree")
        for slug in sorted(any_seed.difference(*(by_bug[bug.id] for bug in level.bugs))):
            findings.faults.append(f"{level.id} breaks {slug}, which none of its bugs breaks")
    findings.breaks = Breaks(tree_hashes(tree), touches, by_bug, by_patch)
    return findings


def name_of(patch: Path) -> str:
    """`level2/knobs/breaks-something`"""
    bug = patch.parent.parent
    return f"{bug.parent.name}/{bug.name}/{patch.stem}"


def _of_bug(trees: _Trees, bug: Bug, say: Say) -> tuple[str, ...]:
    say(f"Bug {bug.id}")
    with temporary_folder() as folder:
        inject(folder / "tree", [bug])
        any_seed, always = trees.broken(bug.id, folder / "tree")
    if not always:
        trees.findings.faults.append(f"{bug.id} breaks no clause on every seed")
    return tuple(sorted(any_seed))


def _of_patch(trees: _Trees, bug: Bug, patch: Path) -> tuple[str, ...]:
    with _repaired(bug, patch) as tree:
        verdict = trees.judge.judge(bug, tree, trees.seeds[0])
        if verdict.kind != "fixed":
            trees.findings.faults.append(f"{name_of(patch)} is {verdict.kind} already: {verdict.message}")
        _, always = trees.broken(name_of(patch), tree)
    if not always:
        trees.findings.faults.append(f"{name_of(patch)} breaks no clause on every seed")
    return tuple(sorted(always))


@contextmanager
def _repaired(bug: Bug, patch: Path) -> Iterator[Path]:
    """The clean tree with a bug and a repair of it."""
    with temporary_folder() as folder:
        inject(folder / "tree", [bug])
        try:
            apply_patch(folder / "tree", patch)
        except BughuntError as error:
            raise BughuntError(f"{name_of(patch)} does not apply: {error.message}", error.step) from error
        yield folder / "tree"
