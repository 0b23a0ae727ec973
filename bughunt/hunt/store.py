"""The folder `.bughunt` of one hunt: its state and its log, locked, atomic, recoverable.

`state.previous.json` is the good copy of the state before the last change. What happens is written to the log
first and to the state after it: a kill in between leaves an event that the next reader takes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bughunt.disk.files import write_atomically
from bughunt.disk.kinds import expect, read_own
from bughunt.disk.places import NOT_WRITABLE, unusable
from bughunt.errors import BughuntError
from bughunt.hunt.events import AnyEvent, Carried, Start
from bughunt.hunt.lock import locked
from bughunt.hunt.log import Log
from bughunt.hunt.state import State, UnusableError, dump_state, level_record, parse_state


class Change:
    """A change of the state in the making: `state` may be altered, `note` says what happened."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.events: list[AnyEvent] = []

    def note(self, event: AnyEvent) -> None:
        """Has an event written to the log, and counts it at once."""
        self.events.append(event)
        self.state.apply([event])


class Store:
    """The hunt whose `.bughunt` is `folder`.

    `notices` collects what the player has to be told: a state set aside, a copy used in its place, a log that
    was changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[str] = []
        self.log = Log(folder / "log.jsonl")
        self._fault_told = False

    @property
    def file(self) -> Path:
        """The state file."""
        return self.folder / "state.json"

    @property
    def _previous(self) -> Path:
        return self.folder / "state.previous.json"

    def read(self) -> State:
        """The state as it is. A state that cannot be used is set aside first and the last good copy used.

        Where nothing can be written, the copy is used all the same.
        """
        try:
            state, carried = parse_state(read_own(self.file))
        except (UnusableError, FileNotFoundError):
            state, carried = self._recovered()
        except OSError as error:
            raise unusable(self.file, error) from error
        return self._with_history(state, carried)

    @contextmanager
    def update(self) -> Iterator[Change]:
        """Holds the lock, gives the state to change, and saves it if the block ends without an exception."""
        with self._locked():
            state, carried = self._recover()
            before = dump_state(state)
            change = Change(self._with_history(state, []))
            for event in carried:
                change.note(event)
            yield change
            if change.events:
                if not self.file.exists():
                    # A log without a state would look as if the state had been lost.
                    self._save(before)
                state.head = self.log.append(change.events, state.head)
            after = dump_state(state)
            if after != before or carried or not self.file.exists():
                self._save(after)

    def tell(self, notice: str) -> None:
        """Collects something that the player has to be told, once."""
        if notice not in self.notices:
            self.notices.append(notice)

    def _with_history(self, state: State, carried: list[Carried]) -> State:
        """The state with what the log says; `carried` is from before there was one."""
        try:
            history = self.log.read(state.head)
        except OSError as error:
            raise unusable(self.log.path, error) from error
        if history.fault and not self._fault_told:
            self._fault_told = True
            self.tell(history.fault)
        state.apply([*history.events, *carried])
        state.head = history.head
        return state

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            expect(self.folder, "folder")
            self.folder.mkdir(parents=True, exist_ok=True)
            for file in (self.file, self._previous, self.log.path):
                expect(file, "file")
            with locked(self.folder / "lock"):
                yield
        except OSError as error:
            raise unusable(self.folder, error) from error

    def _save(self, text: bytes) -> None:
        with suppress(FileNotFoundError, UnusableError):
            current = read_own(self.file)
            parse_state(current)
            write_atomically(self._previous, current)
        write_atomically(self.file, text)

    def _recovered(self) -> tuple[State, list[Carried]]:
        try:
            with self._locked():
                return self._recover()
        except BughuntError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in NOT_WRITABLE:
                raise
        try:
            return self._recover(keep=False)
        except OSError as error:
            raise unusable(self.folder, error) from error

    def _recover(self, *, keep: bool = True) -> tuple[State, list[Carried]]:
        """Reads under the lock; sets an unusable state aside and falls back on the good copy before it.

        Without `keep` it needs no lock, and all that there is stays as it is.
        """
        try:
            return parse_state(read_own(self.file))
        except FileNotFoundError:
            if not self._previous.exists() and not self.log.path.exists():
                return State(), []
            reason = f"The state file {self.file} is missing."
        except UnusableError as error:
            reason = f"The state file could not be used ({error})"
            reason += f"; it is kept as {self._aside(self.file)}." if keep else "."
        try:
            text = read_own(self._previous)
            state, carried = parse_state(text)
        except (FileNotFoundError, UnusableError) as error:
            if isinstance(error, UnusableError) and keep:
                reason += f" So is the copy before it ({error}), as {self._aside(self._previous)}."
            state, carried = self._from_log(), []
            text = dump_state(state)
            self.tell(f"{reason} There is no earlier copy to use{_what_is_left(state)}")
        else:
            self.tell(f"{reason} The copy before the last change is used; at most that one change is lost.")
        if keep:
            write_atomically(self.file, text)
        return state, carried

    def _from_log(self) -> State:
        """What the log alone tells of the levels: the state without a state file."""
        state = State()
        starts = [event for event in self.log.read().events if isinstance(event, Start)]
        for event in starts:
            record = {
                "workspace": event.workspace,
                "version": event.made_from,
                "started": event.time,
                "guided": event.guided,
            }
            with suppress(UnusableError):
                state.levels[event.level] = level_record(event.level, record)
                state.active = event.level
        return state

    def _aside(self, file: Path) -> Path:
        """Moves a file that cannot be used out of the way; where to, is returned."""
        aside = self._free_name()
        file.replace(aside)
        return aside

    def _free_name(self) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            path = self.folder / f"state.unusable-{stamp}{suffix}.json"
            if not path.exists():
                return path
        raise BughuntError(f"{self.folder} is full of unusable states.", "Remove the old ones.")


def _what_is_left(state: State) -> str:
    if state.levels:
        return ": what was played, and how, is taken from the log."
    return (
        ": hints taken, verdicts and times are lost. Your workspaces are untouched; `bughunt start LEVEL` "
        "takes one up again."
    )
