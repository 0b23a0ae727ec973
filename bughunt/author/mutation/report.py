"""What the mutants came to: how many were noticed, per function, per file, and where it matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bughunt.author.mutation.mutant import Mutant

OUTCOMES = ("killed", "survived", "stillborn", "equivalent")


@dataclass(frozen=True)
class Judged:
    """A mutant and what became of it. `killers`: the clauses that noticed it, each with what it noticed.

    `reached` is False when no clause runs its function at all.
    """

    mutant: Mutant
    outcome: str
    diff: str
    killers: Mapping[str, str] = field(default_factory=dict)
    reached: bool = True
    reason: str = ""


@dataclass(frozen=True)
class Tally:
    """How many of each outcome there are."""

    name: str
    counts: Mapping[str, int]

    @property
    def score(self) -> float | None:
        """Killed ones' share of all that are neither equivalent nor stillborn; None where there are none."""
        counted = self.counts["killed"] + self.counts["survived"]
        return self.counts["killed"] / counted if counted else None


@dataclass(frozen=True)
class Report:
    """`left` mutants were not judged yet. `unusable`: clauses that could not be asked, each with why."""

    judged: Sequence[Judged]
    left: int
    bug_files: Collection[str]
    unusable: Mapping[str, str] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def overall(self) -> list[Tally]:
        """The whole, the files that bugs live in, the library, the scripts: those of which there are any."""
        groups: dict[str, Callable[[str], bool]] = {
            "all": lambda _: True,
            "files where bugs live": lambda file: file in self.bug_files,
            "the library": lambda file: not file.startswith("scripts/"),
            "the scripts": lambda file: file.startswith("scripts/"),
        }
        tallies = [
            _tally(name, (one for one in self.judged if of(one.mutant.file))) for name, of in groups.items()
        ]
        return [one for one in tallies if any(one.counts.values())]

    @property
    def by_file(self) -> list[Tally]:
        return self._by(lambda mutant: mutant.file)

    @property
    def by_function(self) -> list[Tally]:
        return self._by(lambda mutant: f"{mutant.file}::{mutant.function}")

    @property
    def by_operator(self) -> list[Tally]:
        return self._by(lambda mutant: mutant.operator)

    @property
    def survivors(self) -> list[Judged]:
        return [one for one in self.judged if one.outcome == "survived"]

    @property
    def refuted(self) -> list[Judged]:
        """What is listed as equivalent, and was noticed all the same."""
        return [one for one in self.judged if one.reason and one.outcome == "killed"]

    def _by(self, name: Callable[[Mutant], str]) -> list[Tally]:
        names = dict.fromkeys(name(one.mutant) for one in self.judged)
        return [_tally(key, (one for one in self.judged if name(one.mutant) == key)) for key in names]


def _tally(name: str, judged: Iterable[Judged]) -> Tally:
    counts = Counter(one.outcome for one in judged)
    return Tally(name, {outcome: counts[outcome] for outcome in OUTCOMES})
