"""One player's game: catalog, workspaces and progress behind one object. It knows no terminal."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.content.catalog import Bug, Catalog, Level, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt.progress import (
    BugProgress,
    LevelProgress,
    Progress,
    State,
    merge_snapshot,
    now,
    snapshot,
)

if TYPE_CHECKING:
    from bughunt.judge import Judge, Verdict
    from bughunt.measure.outcomes import Outcome
    from bughunt.workspace.rescue import Rescue, Rescues
    from bughunt.workspace.workspace import Workspace

FOLDER = ".bughunt"


@dataclass(frozen=True)
class Started:
    """How a level was started: `new`, `resumed`, or `fresh` with the rescue of what was there."""

    level: Level
    workspace: Path
    how: str
    guided: bool
    rescue: Rescue | None = None


@dataclass(frozen=True)
class Hint:
    """A hint of `bug`: the `number`th (from 1) of its ladder."""

    bug: Bug
    number: int
    text: str


@dataclass(frozen=True)
class Reset:
    """What a reset did. `reopened` lists other bugs last seen fixed whose files went back too."""

    level: Level
    bug: Bug | None
    files: tuple[str, ...]
    reopened: tuple[str, ...]
    rescue: Rescue | None


@dataclass(frozen=True)
class Solution:
    """The fix as a diff from the level's start. `free` when the bug was solved before it was opened."""

    bug: Bug
    diff: str
    free: bool


class Hunt:
    """The hunt in `folder`, the one that holds `.bughunt/`."""

    def __init__(self, folder: Path, catalog: Catalog | None = None) -> None:
        self.folder = folder
        self.catalog = catalog or load_catalog()
        self.progress = Progress(folder / FOLDER)

    @property
    def rescues(self) -> Rescues:
        """What has been set aside in this hunt."""
        from bughunt.workspace.rescue import Rescues

        return Rescues(self.folder / FOLDER / "rescues")

    @classmethod
    def find(cls, below: Path) -> Hunt | None:
        """The hunt that the folder `below` lies in, if any."""
        for folder in (below, *below.parents):
            if os.path.isdir(folder / FOLDER):  # noqa: PTH112 (it raises nothing where nothing may be read)
                return cls(folder)
        return None

    # Starting

    def start(self, name: str, *, fresh: bool = False, guided: bool = False) -> Started:
        """Makes the level's workspace, or takes an existing one up again; `fresh` starts it over."""
        level = self.catalog.level(name)
        from bughunt.workspace.git import require_git

        require_git()
        with self.progress.update() as state:
            record = state.levels.get(level.id)
            path = self.folder / (record.workspace if record else level.id)
            ours = path.is_dir() and (record is not None or _looks_made_by_us(path))
            if not ours and (path.exists() or path.is_symlink()):
                raise BughuntError(
                    f"{path} is in the way: it is not a workspace of this game.",
                    "Move it, or start the hunt in an empty folder.",
                )
            if not ours:
                started = self._create(state, level, path, guided)
            elif fresh:
                started = self._start_over(state, level, path, guided)
            else:
                started = self._take_up(state, level, path, guided)
            state.active = level.id
            return started

    def _create(self, state: State, level: Level, path: Path, guided: bool) -> Started:
        self._workspace(level, path, guided).create()
        state.levels[level.id] = LevelProgress(path.name, level.version, now(), guided)
        _forget_verdicts(state, level.bugs)
        return Started(level, path, "new", guided)

    def _take_up(self, state: State, level: Level, path: Path, guided: bool) -> Started:
        record = state.levels.setdefault(
            level.id, LevelProgress(path.name, level.version, now(), _is_guided(path, level))
        )
        if guided and not record.guided:
            raise BughuntError(
                f"{level.id} has already been started without --guided.",
                f"Run `bughunt start {level.id} --guided --fresh` to start it over; your edits are kept.",
            )
        return Started(level, path, "resumed", record.guided)

    def _start_over(self, state: State, level: Level, path: Path, guided: bool) -> Started:
        from bughunt.workspace.workspace import Operation

        command = f"bughunt start {level.id} --fresh" + (" --guided" if guided else "")
        rescue = self._workspace(level, path, guided).reset(
            self.rescues, Operation("fresh start", command), self._snapshot(state, level)
        )
        for bug in level.bugs:
            state.bugs.pop(bug.id, None)
        state.levels[level.id] = LevelProgress(path.name, level.version, now(), guided)
        return Started(level, path, "fresh", guided, rescue)

    # Looking

    def state(self) -> State:
        """The state as it is now. A workspace left half overwritten is noted for the player."""
        state = self.progress.read()
        for level in self.catalog.levels:
            if level.id in state.levels and (error := self._cut_short(state, level)):
                notice = f"{error.message} {error.step}"
                if notice not in self.progress.notices:
                    self.progress.notices.append(notice)
        return state

    def active(self, state: State) -> Level:
        """The level being played. Raises BughuntError when none has been started."""
        if state.active is None:
            first = self.catalog.levels[0].id
            raise BughuntError("No level has been started in this hunt.", f"Run `bughunt start {first}`.")
        return self._known_level(state.active)

    def next_bug(self, state: State) -> Bug | None:
        """The first bug of the active level whose last verdict is not `fixed`; None, too, when this version
        of the game does not have that level."""
        for bug in (bug for level in self.catalog.levels if level.id == state.active for bug in level.bugs):
            if state.bugs.get(bug.id, BugProgress()).verdict != "fixed":
                return bug
        return None

    def workspace_path(self, state: State, level: Level) -> Path:
        """Where the workspace of a started level is (or should be)."""
        return self.folder / state.levels[level.id].workspace

    # Hints

    def hint(self, name: str | None) -> Hint | None:
        """The next hint for a bug; it counts as taken. None when there is no further one."""
        with self.progress.update() as state:
            bug = self._chosen(state, name)
            if bug is None:
                return None
            progress = state.bug(bug.id)
            if progress.fixed_at is not None or progress.hints >= len(bug.card.hints):
                return None
            progress.hints += 1
            return Hint(bug, progress.hints, bug.card.hints[progress.hints - 1])

    def hints_taken(self, bug: Bug, state: State) -> list[Hint]:
        """The hints already taken; all of them once the bug is fixed, since they cost nothing then."""
        progress = state.bugs.get(bug.id, BugProgress())
        count = len(bug.card.hints) if progress.fixed_at else min(progress.hints, len(bug.card.hints))
        return [Hint(bug, number, bug.card.hints[number - 1]) for number in range(1, count + 1)]

    def chosen_bug(self, name: str | None) -> Bug | None:
        """The bug called `name`, or the next one to fix (None when all are)."""
        return self._chosen(self.progress.read(), name)

    # Measuring and judging

    def probe(self, bug: Bug, seed: int) -> tuple[Any, Outcome]:
        """The inputs and the measurement of `bug` in the player's workspace."""
        path = self.ready_workspace(self.progress.read(), self.catalog.level_of(bug))
        with self._open_judge() as judge:
            return judge.measure(bug, path, seed)

    def check(
        self,
        names: Sequence[str],
        seed: int,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
        *,
        sandbox: bool = False,
    ) -> tuple[Level, list[Verdict]]:
        """Judges the named bugs, or all of the active level, and records the verdicts.

        Raises BughuntError when a `sandbox` is asked for and this system has none.
        """
        state = self.progress.read()
        bugs = [self.catalog.bug(name) for name in dict.fromkeys(names)]
        levels = {self.catalog.level_of(bug).id: self.catalog.level_of(bug) for bug in bugs}
        if len(levels) > 1:
            raise BughuntError(
                "These bugs belong to different levels.", "Check the bugs of one level at a time."
            )
        level = next(iter(levels.values()), None) or self.active(state)
        bugs = bugs or list(level.bugs)
        path = self.ready_workspace(state, level)
        verdicts = []
        with self._open_sandbox() if sandbox else self._open_judge() as judge:
            judge.prepare(bugs)
            for bug in bugs:
                first = state.bugs.get(bug.id, BugProgress()).fixed_at is None
                verdict = judge.judge(bug, path, seed, first=first)
                self.record(verdict)
                verdicts.append(verdict)
                on_verdict(verdict)
        return level, verdicts

    def record(self, verdict: Verdict) -> None:
        """Notes a verdict on a bug in the state."""
        with self.progress.update() as state:
            progress = state.bug(verdict.bug)
            progress.checks += 1
            if verdict.kind != "unknown":
                progress.verdict = verdict.kind
            if verdict.kind == "fixed" and progress.fixed_at is None:
                progress.fixed_at = now()
                progress.elsewhere = verdict.elsewhere

    # Putting back

    def diff(self, level: Level) -> str:
        """What the player has changed in a level's workspace, as a unified diff from its start."""
        state = self.progress.read()
        path = self._current_workspace(state, level)
        return self._workspace(level, path, state.levels[level.id].guided).diff()

    def edits(self, level: Level) -> list[str]:
        """The files (relative) that the player has changed in a level's workspace."""
        state = self.progress.read()
        path = self._current_workspace(state, level)
        return self._workspace(level, path, state.levels[level.id].guided).edits()

    def reset_plan(self, name: str | None) -> Reset:
        """What `reset` is going to do, for the player to read first."""
        state = self.progress.read()
        bug = self.catalog.bug(name) if name is not None else None
        level = self.catalog.level_of(bug) if bug else self.active(state)
        self._current_workspace(state, level)
        files = bug.files if bug else ()
        reopened = tuple(
            other.id
            for other in (level.bugs if bug is None else _sharing_files(level, bug))
            if other is not bug and state.bugs.get(other.id, BugProgress()).verdict == "fixed"
        )
        return Reset(level, bug, files, reopened, None)

    def reset(self, plan: Reset) -> Reset:
        """Carries out a plan: rescues the player's edits, then puts the files back."""
        from bughunt.workspace.workspace import Operation

        level, bug = plan.level, plan.bug
        with self.progress.update() as state:
            path = self._current_workspace(state, level)
            record = state.levels[level.id]
            operation = (
                Operation(f"reset of {bug.id}", f"bughunt reset {bug.id}")
                if bug
                else Operation("reset", "bughunt reset")
            )
            rescue = self._workspace(level, path, record.guided).reset(
                self.rescues,
                operation,
                self._snapshot(state, level),
                plan.files if bug else None,
            )
            _forget_verdicts(state, level.bugs if bug is None else _sharing_files(level, bug))
        return Reset(level, bug, plan.files, plan.reopened, rescue)

    def restore(self, name: str | None) -> tuple[Rescue, Rescue | None]:
        """Brings a rescue back (the newest by default). The second rescue is of what that overwrote."""
        from bughunt.workspace.workspace import Operation

        wanted = self.rescues.find(name)
        level = self._known_level(wanted.level)
        operation = Operation(f"restore of {wanted.id}", f"bughunt restore {wanted.id}")
        with self.progress.update() as state:
            if level.id not in state.levels:
                state.levels[level.id] = LevelProgress(level.id, level.version, now())
            record = state.levels[level.id]
            path = self.folder / record.workspace
            workspace = self._workspace(level, path, record.guided)
            if not path.exists():
                workspace.create()
            rescue = workspace.bring_back(self.rescues, wanted, operation, self._snapshot(state, level))
            if wanted.whole:
                merge_snapshot(state, level.id, wanted.progress)
            _forget_verdicts(state, level.bugs)
            return wanted, rescue

    # The solution

    def ask_solution(self, name: str) -> Solution | None:
        """The solution of a solved bug, or of one asked about for the second time; None the first time."""
        bug = self.catalog.bug(name)
        level = self.catalog.level_of(bug)
        from bughunt.workspace.injection import solution_diff

        with self.progress.update() as state:
            self._started(state, level)
            progress = state.bug(bug.id)
            free = progress.fixed_at is not None
            if not free and not progress.solution_asked:
                progress.solution_asked = True
                return None
            diff = solution_diff(level, bug)
            if not free and progress.solution_opened is None:
                progress.solution_opened = now()
        return Solution(bug, diff, free)

    # Inside

    def _open_judge(self) -> Judge:
        """A judge for one command."""
        from bughunt.judge import Judge
        from bughunt.measure.measurer import Measurer, workers_here

        return Judge(tree_folder(), Measurer(workers=workers_here()))

    def _open_sandbox(self) -> Judge:
        from bughunt.judge import Judge
        from bughunt.measure.measurer import Measurer
        from bughunt.measure.sandbox import lacking

        reason = lacking()
        if reason is not None:
            raise BughuntError(f"There is no sandbox here: {reason}.", "Check without --sandbox.")
        return Judge(tree_folder(), Measurer(sandbox=True))

    def _workspace(self, level: Level, path: Path, guided: bool) -> Workspace:
        from bughunt.workspace.workspace import Workspace

        scratch = self.folder / FOLDER / "scratch"
        return Workspace(path, level, guided=guided, mark=self._mark(level), scratch=scratch)

    def _chosen(self, state: State, name: str | None) -> Bug | None:
        if name is None:
            self.active(state)
            return self.next_bug(state)
        bug = self.catalog.bug(name)
        self._started(state, self.catalog.level_of(bug))
        return bug

    def _started(self, state: State, level: Level) -> LevelProgress:
        if level.id not in state.levels:
            raise BughuntError(
                f"{level.id} has not been started in this hunt.", f"Run `bughunt start {level.id}`."
            )
        return state.levels[level.id]

    def _known_level(self, name: str) -> Level:
        try:
            return self.catalog.level(name)
        except BughuntError as error:
            raise BughuntError(
                f"This hunt plays {name}, which this version of the game does not have.",
                f"Run `bughunt start {self.catalog.levels[0].id}` to play a level it has.",
            ) from error

    def _current_workspace(self, state: State, level: Level) -> Path:
        """The workspace of a level: started, there, and of this version of the game."""
        record = self._started(state, level)
        path = self.folder / record.workspace
        if not path.is_dir():
            raise BughuntError(
                f"The workspace {path} is gone.", f"Run `bughunt start {level.id}` to make it again."
            )
        if record.version != level.version:
            raise BughuntError(
                f"{level.id} was started with another version of the game, and its code is not this one's.",
                f"Run `bughunt start {level.id} --fresh` to start it over (your edits are kept aside).",
            )
        return path

    def ready_workspace(self, state: State, level: Level) -> Path:
        """The workspace of a level, fit to be measured. Raises BughuntError when it is not."""
        path = self._current_workspace(state, level)
        error = self._cut_short(state, level)
        if error is not None:
            raise error
        return path

    def _cut_short(self, state: State, level: Level) -> BughuntError | None:
        """What to tell the player where a command was ended while it overwrote the workspace."""
        if not self._mark(level).exists():
            return None
        from bughunt.workspace.workspace import cut_short

        interrupted = self._workspace(level, self.workspace_path(state, level), guided=False).interrupted
        return cut_short(level, interrupted) if interrupted else None

    def _mark(self, level: Level) -> Path:
        return self.folder / FOLDER / f"{level.id}.overwriting"

    def _snapshot(self, state: State, level: Level) -> dict[str, Any]:
        return snapshot(state, level.id, [bug.id for bug in level.bugs])


def new_seed() -> int:
    """A seed nobody could have foreseen."""
    return int.from_bytes(os.urandom(4)) >> 1


def _looks_made_by_us(path: Path) -> bool:
    return (path / "CASE.md").is_file() and (path / "nanochat").is_dir()


def _is_guided(path: Path, level: Level) -> bool:
    files = {file for bug in level.bugs for file in bug.files}
    return any(b"# bughunt " in (path / file).read_bytes() for file in files if (path / file).is_file())


def _sharing_files(level: Level, bug: Bug) -> list[Bug]:
    """The bugs of the level that live in a file of `bug`'s, itself included."""
    return [other for other in level.bugs if set(other.files) & set(bug.files)]


def _forget_verdicts(state: State, bugs: Sequence[Bug]) -> None:
    for bug in bugs:
        if bug.id in state.bugs:
            state.bugs[bug.id].verdict = None
