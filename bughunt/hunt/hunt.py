"""One player's game behind one object. It knows no terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.level import Bug, Level
from bughunt.errors import BughuntError
from bughunt.hunt import events, judging, putting_back, starting
from bughunt.hunt.results import Checked, Hint, Reset, Restored, Solution, Started
from bughunt.hunt.started import StartedLevel, rescues_in
from bughunt.hunt.state import State
from bughunt.hunt.store import Store

if TYPE_CHECKING:
    from bughunt.hunt.rest import Rest
    from bughunt.judge import Verdict
    from bughunt.measure.outcomes import Outcome
    from bughunt.workspace.rescue import Rescues

FOLDER = ".bughunt"


class Hunt:
    """The hunt in `folder`, the one that holds `.bughunt/`."""

    def __init__(self, folder: Path, catalog: Catalog | None = None) -> None:
        self.folder = folder
        self.catalog = catalog or load_catalog()
        self.store = Store(folder / FOLDER)

    @classmethod
    def find(cls, below: Path) -> Hunt | None:
        """The hunt that the folder `below` lies in, if any."""
        for folder in (below, *below.parents):
            if os.path.isdir(folder / FOLDER):  # noqa: PTH112 (it raises nothing where nothing may be read)
                return cls(folder)
        return None

    @property
    def rescues(self) -> Rescues:
        """What has been set aside in this hunt."""
        return rescues_in(self.store.folder)

    def state(self) -> State:
        """The state as it is now. A workspace left half overwritten is noted for the player."""
        state = self.store.read()
        for started in self.all_started(state):
            if error := started.cut_short():
                self.store.tell(f"{error.message} {error.step}")
        return state

    def all_started(self, state: State) -> list[StartedLevel]:
        """The levels of the catalog that have been started."""
        return [
            StartedLevel(level, state.levels[level.id], self.store.folder)
            for level in self.catalog.levels
            if level.id in state.levels
        ]

    def started(self, level: Level, state: State | None = None) -> StartedLevel:
        """A level that has been started. Raises BughuntError for one that has not."""
        record = (state or self.store.read()).levels.get(level.id)
        if record is None:
            raise BughuntError(
                f"{level.id} has not been started in this hunt.", f"Run `bughunt start {level.id}`."
            )
        return StartedLevel(level, record, self.store.folder)

    def active(self, state: State) -> Level:
        """The level being played. Raises BughuntError when none has been started."""
        if state.active is None:
            first = self.catalog.levels[0].id
            raise BughuntError("No level has been started in this hunt.", f"Run `bughunt start {first}`.")
        return self._known_level(state.active)

    def next_bug(self, state: State) -> Bug | None:
        """The first bug of the active level that is not fixed; None, too, when this version of the game does
        not have that level."""
        active = [level for level in self.catalog.levels if level.id == state.active]
        return next((bug for level in active for bug in level.bugs if not state.bug(bug.id).fixed), None)

    def chosen_bug(self, name: str | None) -> Bug | None:
        """The bug called `name`, or the next one to fix (None when all are)."""
        state = self.store.read()
        if name is None:
            self.active(state)
            return self.next_bug(state)
        bug = self.catalog.bug(name)
        self.started(self.catalog.level_of(bug), state)
        return bug

    def start(self, name: str, *, fresh: bool = False, guided: bool = False) -> Started:
        """Makes the level's workspace, or takes an existing one up again; `fresh` starts it over."""
        return starting.start(self.store, self.catalog.level(name), fresh=fresh, guided=guided)

    def hint(self, bug: Bug) -> Hint | None:
        """The next hint for a bug; it counts as taken. None when there is no further one, or it is solved."""
        self.started(self.catalog.level_of(bug))
        with self.store.update() as change:
            progress = change.state.bug(bug.id)
            number = progress.hints + 1
            if progress.solved or number > len(bug.card.hints):
                return None
            change.note(events.Hint(bug=bug.id, number=number))
        return Hint(bug, number, bug.card.hints[number - 1])

    def hints_taken(self, bug: Bug, state: State) -> list[Hint]:
        """The hints already taken; all of them once the bug is solved, since they cost nothing then."""
        progress = state.bug(bug.id)
        texts = bug.card.hints if progress.solved else bug.card.hints[: progress.hints]
        return [Hint(bug, number, text) for number, text in enumerate(texts, start=1)]

    def probe(self, bug: Bug, seed: int) -> tuple[Any, Outcome]:
        """The inputs and the measurement of `bug` in the player's workspace."""
        return judging.probe(self.store, self.started(self.catalog.level_of(bug)), bug, seed)

    def check(
        self,
        names: Sequence[str],
        seed: int,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
        *,
        sandbox: bool = False,
        chosen: bool = False,
    ) -> Checked:
        """Judges the named bugs, or all of the active level, and records the verdicts. Was the seed `chosen`
        by somebody?

        Raises BughuntError when a `sandbox` is asked for and this system has none.
        """
        bugs = [self.catalog.bug(name) for name in dict.fromkeys(names)]
        state = self.store.read()
        level = judging.level_to_check(self.catalog, bugs) or self.active(state)
        started = self.started(level, state)
        bugs = bugs or list(level.bugs)
        return judging.check(self.store, started, bugs, seed, on_verdict, sandbox=sandbox, chosen=chosen)

    def record(self, verdict: Verdict, seed: int, files: str) -> None:
        """Notes a verdict; see `judging.record`."""
        level = self.catalog.level_of(self.catalog.bug(verdict.bug))
        judging.record(self.store, self.started(level), verdict, seed, files)

    def record_rest(self, level: Level, rest: Rest, seed: int, files: str) -> bool:
        """Notes what became of the rest. Is the level complete with it?"""
        return judging.record_rest(self.store, self.started(level), rest, seed, files)

    def reset_plan(self, name: str | None) -> Reset:
        """What `reset` of a bug, or of all of the active level, is going to do."""
        state = self.store.read()
        bug = self.catalog.bug(name) if name is not None else None
        level = self.catalog.level_of(bug) if bug else self.active(state)
        return putting_back.plan_reset(state, self.started(level, state), bug)

    def reset(self, plan: Reset) -> Reset:
        """Carries out a plan: rescues the player's edits, then puts the files back."""
        return putting_back.reset(self.store, self.started(plan.level), plan)

    def restore(self, name: str | None) -> Restored:
        """Brings a rescue back (the newest by default)."""
        level = self._known_level(self.rescues.find(name).level)
        return putting_back.restore(self.store, level, name)

    def ask_solution(self, name: str) -> Solution | None:
        """The solution of a solved bug, or of one asked about for the second time; None the first time."""
        bug = self.catalog.bug(name)
        level = self.started(self.catalog.level_of(bug)).level
        from bughunt.workspace.injection import solution_diff

        with self.store.update() as change:
            progress = change.state.bug(bug.id)
            if not (progress.solved or progress.solution_opened or progress.solution_asked):
                change.note(events.Solution(bug=bug.id, opened=False))
                return None
            diff = solution_diff(level, bug)
            change.note(events.Solution(bug=bug.id, opened=True, free=progress.solved))
        return Solution(bug, diff, progress.solved)

    def _known_level(self, name: str) -> Level:
        try:
            return self.catalog.level(name)
        except BughuntError as error:
            raise BughuntError(
                f"This hunt plays {name}, which this version of the game does not have.",
                f"Run `bughunt start {self.catalog.levels[0].id}` to play a level it has.",
            ) from error
