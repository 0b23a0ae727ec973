"""What happens in a watch: events come in, scenes and pages go out. It knows no screen.

One thread does everything in turn, so that the state, the workspace and the judge have one user here. The
threads that post events only ever interrupt it: an event that cannot wait stops the measurement that is
running. What was being judged is then judged again, as the code is by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from bughunt.content.level import Bug, Level
from bughunt.errors import BughuntError
from bughunt.hunt.edits import files_hash
from bughunt.hunt.hunt import Hunt
from bughunt.hunt.judging import not_recorded, open_judge, repaired
from bughunt.hunt.rest import Owing, Rest, Terms
from bughunt.judge import Judge, Verdict
from bughunt.measure.outcomes import Stopped
from bughunt.screens.debrief import level_debrief
from bughunt.views import Text
from bughunt.watch.answers import Answers
from bughunt.watch.events import Check, Close, Event, Look, Polling, Reset, Saved, Show, StartLevel, TakeHint
from bughunt.watch.files import FileWatch
from bughunt.watch.inbox import Inbox
from bughunt.watch.judging import Judging
from bughunt.watch.scene import REST, Failed, Page, Scene
from bughunt.watch.status import Status, scene_of

# How soon a change of the state by another command is seen while nothing happens here.
_LOOK_OUTSIDE_SECONDS = 1.0


class Session:
    """The watch of `hunt`. `tell` is called from the session's thread with all that there is to show."""

    def __init__(
        self,
        hunt: Hunt,
        tell: Callable[[Scene | Page | Failed], object],
        *,
        manual: bool,
        open_judge: Callable[[Path], Judge] = open_judge,
    ) -> None:
        self._hunt = hunt
        self._tell = tell
        self._open_judge = open_judge
        self._inbox = Inbox()
        self._answers = Answers(hunt, tell, self._inbox)
        self._status = Status(manual)
        self._terms = Terms()
        self._state = hunt.state()
        self._seen_state: object = None
        self._next: Level | None = hunt.active(self._state)
        self._looked_at: Bug | None = None
        self._put_back: frozenset[str] = frozenset()
        self._thread = Thread(target=self._run, name="bughunt-session", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def post(self, event: Event) -> None:
        """Takes an event in, from any thread."""
        self._inbox.post(event)

    def close(self) -> None:
        """Ends what is running, and the session."""
        self.post(Close())
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            with self._open_judge(self._hunt.store.folder) as judge:
                while self._next is not None:
                    level, self._next = self._next, None
                    with self._watching(level, judge) as judging:
                        while self._next is None and self._step(judging):
                            pass
        except BaseException as error:
            self._tell(Failed(error))

    @contextmanager
    def _watching(self, level: Level, judge: Judge) -> Iterator[Judging]:
        started = self._hunt.started(level, self._state)
        with FileWatch(
            started.path, lambda files: self.post(Saved(files)), lambda why: self.post(Polling(why))
        ):
            judging = Judging(level, judge, Owing(self._terms, started))
            self._show(judging)
            self._prepare(level, judge)
            if not self._status.manual:
                self._begin_anew(judging)
            yield judging

    def _prepare(self, first: Level, judge: Judge) -> None:
        """Has the checks and probes of all levels read: others come when code of this one has run."""
        judge.prepare(first.bugs)
        judge.prepare_control(first.bugs)
        judge.prepare(bug for level in self._hunt.catalog.levels for bug in level.bugs)
        judge.contract.prepare(self._terms.clauses)
        self._answers.prepare(self._hunt.catalog)

    def _step(self, judging: Judging) -> bool:
        """Takes one event, or judges one bug when there is none. False when it is time to end."""
        event = self._inbox.next(0.0 if judging.busy else _LOOK_OUTSIDE_SECONDS)
        if isinstance(event, Close):
            return False
        try:
            if event is not None:
                self._handle(event, judging)
            elif judging.pending:
                self._judge(judging.pending[0], judging)
            elif judging.rest_pending:
                self._judge_rest(judging)
            elif _fingerprint(self._hunt) == self._seen_state:
                judging.ask_ahead(self._inbox.begin_measuring())
                return True
        except Stopped:
            pass
        except BughuntError as error:
            self._note_trouble(error)
            judging.pending.clear()
            judging.rest_pending = False
        self._status.running = None
        self._show(judging)
        return True

    def _handle(self, event: Event, judging: Judging) -> None:
        if isinstance(event, (Saved, Check, Show)):
            self._status.trouble = ""
        match event:
            case Saved(files):
                self._saved(files, judging)
            case Polling(reason):
                self._status.polling = f"Polling: {reason}."
            case Look(bug):
                self._looked_at = bug
            case Check():
                self._begin_anew(judging)
            case Show():
                self._answers.show(event, judging)
            case TakeHint(bug):
                self._answers.take_hint(bug, judging.level)
            case Reset(bug):
                self._put_back = self._answers.reset(bug)
            case StartLevel(level):
                self._answers.start(level)
                self._state, self._next = self._hunt.state(), level

    def _saved(self, files: frozenset[str], judging: Judging) -> None:
        if not files <= self._put_back:
            self._status.saves += 1
        self._put_back = frozenset()
        self._status.unchecked = self._status.manual and not judging.pending
        if not self._status.unchecked:
            judging.begin_after_save(files, self._looked_at)
            judging.was_complete = self._state.is_complete(judging.level)

    def _begin_anew(self, judging: Judging) -> None:
        judging.begin_anew(bug for bug in judging.level.bugs if bug is self._looked_at)
        judging.was_complete = self._state.is_complete(judging.level)
        self._status.unchecked = False

    def _judge(self, bug: Bug, judging: Judging) -> None:
        stop = self._inbox.begin_measuring()
        workspace = self._hunt.started(judging.level).ready().path
        self._status.running = bug.id
        self._show(judging)
        first = not self._state.bug(bug.id).solved
        files = files_hash(workspace)
        verdict = judging.judge.judge(bug, workspace, judging.seed, first=first, stop=stop)
        if stop.is_set():
            raise Stopped
        judging.note(bug, verdict)
        self._record(verdict, judging, files)
        self._state = self._hunt.state()

    def _judge_rest(self, judging: Judging) -> None:
        stop = self._inbox.begin_measuring()
        started = self._hunt.started(judging.level).ready()
        self._status.running = REST
        self._show(judging)
        files = files_hash(started.path)
        verdicts = [verdict for verdict, _ in judging.verdicts.values()]
        rest = judging.ask_rest(started, repaired(judging.level, self._state, verdicts), stop)
        if stop.is_set():
            judging.rest_pending = True
            raise Stopped
        completed = self._rest_recorded(rest, judging, files)
        self._state = self._hunt.state()
        if completed and not judging.was_complete:
            after = Text("n goes on to the next level.", "strong")
            self._tell(Page([*level_debrief(judging.level, self._state), after]))

    def _record(self, verdict: Verdict, judging: Judging, files: str) -> None:
        """It is shown also where the hunt cannot be written to."""
        try:
            self._hunt.record(verdict, judging.seed, files)
        except BughuntError as error:
            judging.unrecorded.add(verdict.bug)
            self._hunt.store.tell(not_recorded(f"The verdict on {verdict.bug}", error))

    def _rest_recorded(self, rest: Rest, judging: Judging, files: str) -> bool:
        """Is the level complete with it?"""
        try:
            return self._hunt.record_rest(judging.level, rest, judging.seed, files)
        except BughuntError as error:
            self._hunt.store.tell(not_recorded("What became of the rest", error))
            return False

    def _show(self, judging: Judging) -> None:
        self._seen_state = _fingerprint(self._hunt)
        try:
            self._state = self._hunt.state()
        except BughuntError as error:
            self._note_trouble(error)
        self._status.notices += self._hunt.store.notices
        self._hunt.store.notices.clear()
        self._tell(scene_of(self._hunt.catalog, self._state, judging, self._status))

    def _note_trouble(self, error: BughuntError) -> None:
        self._status.trouble = f"{error.message} {error.step}".strip()


def _fingerprint(hunt: Hunt) -> object:
    """What changes when another command, or a hand, changes the state file."""
    try:
        status = hunt.store.file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
