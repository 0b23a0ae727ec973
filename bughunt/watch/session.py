"""What happens in a watch: saves and keys come in as events, scenes and pages go out. It knows no screen.

One thread does everything in turn, so that the state, the workspace and the judge have one user here. The
threads that post events only ever interrupt it: an event that cannot wait stops the measurement that is
running. What was being judged is then judged again, as the code is by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event as Flag
from threading import Lock, Thread
from typing import ClassVar, Literal

from bughunt import screens
from bughunt.content.catalog import Bug, Level
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt, new_seed
from bughunt.hunt.progress import BugProgress, State
from bughunt.judge import Judge, Verdict
from bughunt.measure.measurer import Measurer, workers_here
from bughunt.measure.outcomes import Stopped
from bughunt.screens.debrief import level_debrief
from bughunt.screens.probing import views_of
from bughunt.views import Code, Item, Text, View
from bughunt.watch.files import FileWatch
from bughunt.watch.scene import Choice, Page, Row, Scene, nothing_edited, unsolved

_LOOK_OUTSIDE_SECONDS = 1.0
_WARNINGS_SHOWN = 3


@dataclass(frozen=True)
class Event:
    """Something to react to; `urgent` events stop a running measurement."""

    urgent: ClassVar[bool] = True


@dataclass(frozen=True)
class Saved(Event):
    files: frozenset[str]


@dataclass(frozen=True)
class Polling(Event):
    reason: str
    urgent = False


@dataclass(frozen=True)
class Check(Event):
    """Judge the whole level, beginning with the bug that the player looks at."""


@dataclass(frozen=True)
class Look(Event):
    """The player looks at `bug`: of several bugs whose files change, it is judged first."""

    bug: Bug
    urgent = False


@dataclass(frozen=True)
class Show(Event):
    what: Literal["hint", "probe", "diff", "reset", "solution", "next"]
    bug: Bug


@dataclass(frozen=True)
class TakeHint(Event):
    bug: Bug


@dataclass(frozen=True)
class Reset(Event):
    """Put back the files of `bug`, or with None all of the level."""

    bug: Bug | None


@dataclass(frozen=True)
class Play(Event):
    level: Level


@dataclass(frozen=True)
class Close(Event):
    pass


@dataclass(frozen=True)
class Broken:
    """The session ended by an error that nobody had expected."""

    error: BaseException


@dataclass
class _Play:
    """One level being played."""

    level: Level
    judge: Judge
    pending: list[Bug] = field(default_factory=list)
    first: list[Bug] = field(default_factory=list)
    verdicts: dict[str, tuple[Verdict, int]] = field(default_factory=dict)
    seed: int = 0


class Session:
    """The watch of `hunt`. `tell` is called from the session's thread with all that there is to show."""

    def __init__(
        self,
        hunt: Hunt,
        tell: Callable[[Scene | Page | Broken], object],
        *,
        manual: bool,
        open_judge: Callable[[], Judge] = lambda: Judge(tree_folder(), Measurer(workers=workers_here())),
    ) -> None:
        self._hunt = hunt
        self._tell = tell
        self._manual = manual
        self._open_judge = open_judge
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._urgent = 0
        self._counting = Lock()
        self._stop = Flag()
        self._state = hunt.state()
        self._next: Level | None = hunt.active(self._state)
        self._looked_at: Bug | None = None
        self._saves = 0
        self._put_back: frozenset[str] = frozenset()
        self._unchecked = False
        self._running: str | None = None
        self._polling = ""
        self._trouble = ""
        self._notices: list[str] = []
        self._seen_state: object = None
        self._thread = Thread(target=self._run, name="bughunt-session", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def post(self, event: Event) -> None:
        """Takes an event in, from any thread."""
        with self._counting:
            self._urgent += event.urgent
            self._events.put(event)
        if event.urgent:
            self._stop.set()

    def close(self) -> None:
        """Ends what is running, and the session."""
        self.post(Close())
        if self._thread.ident is not None:
            self._thread.join()

    # The loop

    def _run(self) -> None:
        try:
            while self._next is not None:
                level, self._next = self._next, None
                with self._playing(level) as play:
                    while self._next is None and self._step(play):
                        pass
        except BaseException as error:
            self._tell(Broken(error))

    @contextmanager
    def _playing(self, level: Level) -> Iterator[_Play]:
        folder = self._hunt.workspace_path(self._state, level)
        with (
            FileWatch(folder, lambda files: self.post(Saved(files)), lambda why: self.post(Polling(why))),
            self._open_judge() as judge,
        ):
            play = _Play(level, judge)
            self._show(play)
            judge.prepare(level.bugs)
            if not self._manual:
                self._queue(play, [])
            yield play

    def _step(self, play: _Play) -> bool:
        """Takes one event, or judges one bug when there is none. False when it is time to end."""
        event = self._next_event(wait=not play.pending)
        if isinstance(event, Close):
            return False
        try:
            if event is not None:
                self._handle(event, play)
            elif play.pending:
                self._judge(play, play.pending[0])
            elif not self._state_changed():
                return True
        except Stopped:
            pass
        except BughuntError as error:
            self._trouble = f"{error.message} {error.step}".strip()
            play.pending.clear()
        self._running = None
        self._show(play)
        return True

    def _next_event(self, wait: bool) -> Event | None:
        try:
            event = self._events.get(timeout=_LOOK_OUTSIDE_SECONDS if wait else 0.0)
        except Empty:
            return None
        with self._counting:
            self._urgent -= event.urgent
        return event

    def _begin_measuring(self) -> Flag:
        """The flag that stops the measurement to come. Raises Stopped when an urgent event has arrived."""
        self._stop = Flag()
        if self._urgent:
            raise Stopped
        return self._stop

    def _handle(self, event: Event, play: _Play) -> None:
        match event:
            case Saved(files):
                self._saved(play, files)
            case Polling(reason):
                self._polling = f"Polling: {reason}."
            case Look(bug):
                self._looked_at = bug
            case Check():
                self._trouble = ""
                self._queue(play, [bug for bug in play.level.bugs if bug is self._looked_at])
            case Show():
                self._trouble = ""
                self._answer(event, play)
            case TakeHint(bug):
                self._hint(bug, play.level)
            case Reset(bug):
                result = self._hunt.reset(self._hunt.reset_plan(bug.id if bug else None))
                self._put_back = frozenset(result.rescue.files if result.rescue else ())
                self._tell(Page(screens.reset_done(result)))
            case Play(level):
                started = self._hunt.start(level.id)
                self._state, self._next = self._hunt.state(), level
                self._tell(Page(screens.started(started, self._hunt.folder)))

    # Judging

    def _saved(self, play: _Play, files: frozenset[str]) -> None:
        if not files <= self._put_back:
            self._saves += 1
        self._put_back = frozenset()
        self._trouble = ""
        if self._manual and not play.pending:
            self._unchecked = True
            return
        changed = [bug for bug in play.level.bugs if files.intersection(bug.files) or bug in play.first]
        self._queue(play, sorted(changed, key=lambda bug: bug is not self._looked_at))

    def _queue(self, play: _Play, first: list[Bug]) -> None:
        """All bugs of the level are to be judged anew, `first` before the others."""
        play.first = first
        play.pending = [*first, *(bug for bug in play.level.bugs if bug not in first)]
        play.seed = new_seed()
        self._unchecked = False

    def _judge(self, play: _Play, bug: Bug) -> None:
        stop = self._begin_measuring()
        workspace = self._hunt.ready_workspace(self._hunt.state(), play.level)
        self._running = bug.id
        self._show(play)
        verdict = play.judge.judge(bug, workspace, play.seed, first=not self._solved(bug), stop=stop)
        if stop.is_set():
            raise Stopped
        play.pending.remove(bug)
        play.first = [other for other in play.first if other is not bug]
        play.verdicts[bug.id] = (verdict, play.seed)
        solved_before = self._solved(bug)
        self._hunt.record(verdict)
        self._state = self._hunt.state()
        if not solved_before and all(_kind(self._state, other) == "fixed" for other in play.level.bugs):
            after = Text("n goes on to the next level.", "strong")
            self._tell(Page([*level_debrief(play.level, self._state), after]))

    # Answering keys

    def _answer(self, event: Show, play: _Play) -> None:
        bug, level = event.bug, play.level
        match event.what:
            case "hint":
                self._offer_hint(bug, level)
            case "probe":
                self._probe(bug, play)
            case "diff":
                diff = self._hunt.diff(level)
                self._tell(Page([Code(diff, "diff")]) if diff else nothing_edited(level))
            case "reset":
                self._offer_reset(bug, level)
            case "solution":
                solution = self._hunt.ask_solution(bug.id) if self._solved(bug) else None
                self._tell(Page(screens.solution(solution)) if solution else unsolved(bug, level))
            case "next":
                self._offer_next(level)

    def _offer_hint(self, bug: Bug, level: Level) -> None:
        state = self._hunt.state()
        progress = state.bugs.get(bug.id, BugProgress())
        taken = self._hunt.hints_taken(bug, state)
        if not taken:
            self._hint(bug, level)
            return
        more = progress.fixed_at is None and len(taken) < len(bug.card.hints)
        choices = (Choice("h", f"takes hint {len(taken) + 1}, for points", TakeHint(bug)),) if more else ()
        self._tell(Page(screens.hints_again(bug, taken, progress), choices))

    def _hint(self, bug: Bug, level: Level) -> None:
        given = self._hunt.hint(bug.id)
        if given is not None:
            progress = self._hunt.state().bugs[bug.id]
            self._tell(Page(screens.hint(given, level, progress)))

    def _probe(self, bug: Bug, play: _Play) -> None:
        workspace = self._hunt.ready_workspace(self._hunt.state(), play.level)
        title = Text(f"{bug.id}  {bug.card.title}", "strong")
        self._tell(Page([title, Text("Measuring …", "dim")]))
        inputs, outcome = play.judge.measure(bug, workspace, new_seed(), stop=self._begin_measuring())
        found = views_of(bug, inputs, outcome)
        failed = found.failure
        self._tell(Page(screens.probe_failed(bug, failed) if failed else [title, *found.views]))

    def _offer_reset(self, bug: Bug, level: Level) -> None:
        edited = self._hunt.edits(level)
        if not edited:
            self._tell(nothing_edited(level))
            return
        kept = (
            "What this overwrites is first kept aside, as a rescue below .bughunt/rescues; `bughunt restore` "
            "brings it back."
        )
        views: list[View] = [
            Item("Put files back to the level's start?", f"You have edited {', '.join(edited)}.", "warn"),
            Text(kept),
            *screens.reset_warning(self._hunt.reset_plan(bug.id)),
        ]
        one = Choice("f", f"puts the files of {bug.id} back", Reset(bug))
        every = Choice("a", f"puts all of {level.id} back", Reset(None))
        self._tell(Page(views, (one, every)))

    def _offer_next(self, level: Level) -> None:
        levels = self._hunt.catalog.levels
        place = levels.index(level) + 1
        if place == len(levels):
            self._tell(Page([Text(f"{level.id} is the last level.")]))
            return
        following = levels[place]
        left = sum(_kind(self._state, bug) != "fixed" for bug in level.bugs)
        if not left:
            self.post(Play(following))
            return
        bugs = "1 bug of this level is" if left == 1 else f"{left} bugs of this level are"
        back = f"`bughunt start {level.id}` takes {level.id} up again at any time."
        choice = Choice("y", f"goes on to {following.id} all the same", Play(following))
        self._tell(Page([Item(f"{bugs} not fixed yet.", back, "warn")], (choice,)))

    # Showing

    def _solved(self, bug: Bug) -> bool:
        return self._state.bugs.get(bug.id, BugProgress()).fixed_at is not None

    def _state_changed(self) -> bool:
        """Has another command, or a hand, changed the state file since it was last read?"""
        return _fingerprint(self._hunt) != self._seen_state

    def _show(self, play: _Play) -> None:
        self._seen_state = _fingerprint(self._hunt)
        try:
            self._state = self._hunt.state()
        except BughuntError as error:
            self._trouble = f"{error.message} {error.step}".strip()
        self._notices += self._hunt.progress.notices
        self._hunt.progress.notices.clear()
        earned, most = screens.total_points(self._hunt.catalog, self._state)
        warnings = [self._polling, *self._notices[-_WARNINGS_SHOWN:], self._trouble]
        self._tell(
            Scene(
                play.level,
                tuple(self._row(play, bug) for bug in play.level.bugs),
                earned,
                most,
                self._manual,
                self._running,
                self._saves,
                self._unchecked,
                tuple(warning for warning in warnings if warning),
            )
        )

    def _row(self, play: _Play, bug: Bug) -> Row:
        kind = _kind(self._state, bug)
        verdict, seed = play.verdicts.get(bug.id, (None, 0))
        if verdict is not None and verdict.kind not in (kind, "unknown"):
            verdict = None
        elif verdict is not None:
            kind = verdict.kind
        return Row(bug, kind, self._solved(bug), verdict, seed, bug in play.pending)


def _kind(state: State, bug: Bug) -> str | None:
    return state.bugs.get(bug.id, BugProgress()).verdict


def _fingerprint(hunt: Hunt) -> object:
    try:
        status = (hunt.progress.folder / "state.json").stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
