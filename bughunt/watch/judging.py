"""Which bugs of a level are to be judged next, and the verdicts of this watch on the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from bughunt.content.clauses import Clause
from bughunt.content.level import Bug, Level
from bughunt.hunt.judging import new_seed
from bughunt.hunt.rest import Owing, Rest
from bughunt.hunt.started import StartedLevel
from bughunt.judge import Judge, Verdict
from bughunt.measure.outcomes import Flag

# Few enough that a save does not have to wait for them long.
_CLAUSES_AT_ONCE = 8


@dataclass
class Judging:
    """One level, the judge open for it, the bugs that wait (`pending`, those that come `first` among
    them), and for the others the verdict with its seed; of which bugs the hunt does not have it. The `rest`
    waits for the bugs; it is that of the judging before while it does. The clean tree's answers for
    `next_seed` are measured in good time, but for the bugs and clauses unasked."""

    level: Level
    judge: Judge
    owing: Owing
    pending: list[Bug] = field(default_factory=list)
    first: list[Bug] = field(default_factory=list)
    verdicts: dict[str, tuple[Verdict, int]] = field(default_factory=dict)
    unrecorded: set[str] = field(default_factory=set)
    rest: Rest | None = None
    rest_pending: bool = False
    was_complete: bool = False
    seed: int = 0
    next_seed: int = field(default_factory=new_seed)
    unasked: list[Bug] = field(default_factory=list)
    clauses_unasked: list[Clause] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        """Is there anything to judge, or to measure in good time?"""
        return bool(self.pending or self.rest_pending or self.unasked or self.clauses_unasked)

    def begin_anew(self, first: Iterable[Bug] = ()) -> None:
        """All bugs of the level are to be judged, `first` before the others."""
        self.first = list(first)
        self.pending = [*self.first, *(bug for bug in self.level.bugs if bug not in self.first)]
        self.seed, self.next_seed = self.next_seed, new_seed()
        self.unasked = list(self.pending)
        self.rest_pending = True
        asked = self.rest.asked if self.rest else ()
        self.clauses_unasked = [clause for clause in self.owing.terms.clauses if clause.slug in asked]

    def begin_after_save(self, files: frozenset[str], looked_at: Bug | None) -> None:
        """First come the bugs that live in `files`, or came first already; of those, the one looked at."""
        changed = [bug for bug in self.level.bugs if files.intersection(bug.files) or bug in self.first]
        self.begin_anew(sorted(changed, key=lambda bug: bug is not looked_at))

    def ask_ahead(self, stop: Flag) -> None:
        """What the clean tree does with the inputs of the next seed, for one bug, then for some of the
        clauses that were owed last: nothing else is at work."""
        if self.unasked:
            self.judge.ask_ahead(self.unasked[0], self.next_seed, stop=stop)
            self.unasked.pop(0)
        elif self.clauses_unasked:
            some = self.clauses_unasked[:_CLAUSES_AT_ONCE]
            self.owing.ask_clean(self.judge.contract, some, self.next_seed, stop)
            del self.clauses_unasked[:_CLAUSES_AT_ONCE]

    def note(self, bug: Bug, verdict: Verdict) -> None:
        """The bug is judged."""
        self.pending.remove(bug)
        self.first = [other for other in self.first if other is not bug]
        self.verdicts[bug.id] = (verdict, self.seed)
        self.unrecorded.discard(bug.id)

    def ask_rest(self, started: StartedLevel, repaired: Collection[str], stop: Flag) -> Rest:
        """What becomes of the rest, when all bugs are judged."""
        rest = self.owing.rest(self.judge.contract, started, repaired, [self.seed], stop)
        self.rest, self.rest_pending = rest, False
        return rest
