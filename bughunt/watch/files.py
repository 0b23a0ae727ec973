"""Noticing that Python files of a workspace were saved.

Events of the operating system (through watchfiles) say when to look; what changed is found by looking. So
it does not matter how an editor saves (in place, by renaming, by deleting first), and a change that is
found although no event announced it shows that events do not arrive here: then the files are polled.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from watchfiles import Change, watch

from bughunt.content.tree import is_by_product
from bughunt.workspace.scope import files_of

# A save counts as finished when nothing has happened for the first; a burst is reported after the second.
_QUIET_MS = 20
_BURST_MS = 400
_LOOK_WITHOUT_EVENTS_MS = 1000
_POLL_SECONDS = 0.25

NO_EVENTS = "this file system does not tell when a file is saved, so the files are looked at again and again"

_Looks = dict[str, tuple[int, int, int]]


class FileWatch:
    """Reports saved files of `folder` from a thread of its own, until closed. A context manager.

    `on_change` gets their names, relative to `folder`; also when the folder goes away or comes back.
    `on_polling` gets the reason, once, when events are no use.
    """

    def __init__(
        self,
        folder: Path,
        on_change: Callable[[frozenset[str]], None],
        on_polling: Callable[[str], None],
    ) -> None:
        self._folder = folder
        self._on_change = on_change
        self._on_polling = on_polling
        self._polling = False
        self._closing = Event()
        self._seen: _Looks = {}
        with suppress(OSError):
            self._seen = _look(folder)
        self._thread = Thread(target=self._run, name="bughunt-files", daemon=True)

    def __enter__(self) -> FileWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        if os.environ.get("WATCHFILES_FORCE_POLLING"):
            self._poll("WATCHFILES_FORCE_POLLING is set")
        while not self._closing.is_set():
            self._report_changes()
            if self._polling or not self._folder.is_dir():
                self._closing.wait(_POLL_SECONDS)
            else:
                self._follow_events()

    def _follow_events(self) -> None:
        """Looks at every event, until the folder is another one or events turn out not to arrive."""
        unannounced = False
        try:
            folder = _identity(self._folder)
            for events in watch(
                self._folder,
                watch_filter=self._matters,
                step=_QUIET_MS,
                debounce=_BURST_MS,
                rust_timeout=_LOOK_WITHOUT_EVENTS_MS,
                yield_on_timeout=True,
                stop_event=self._closing,
                raise_interrupt=False,
                force_polling=False,
            ):
                found = self._report_changes()
                if folder != _identity(self._folder):
                    return
                # The event of a change found by chance may be on its way: it has one more turn to arrive.
                if unannounced and not events:
                    self._poll(NO_EVENTS)
                    return
                unannounced = found and not events
        except (OSError, RuntimeError) as error:
            if self._folder.is_dir():
                self._poll(f"files cannot be watched here ({error})")

    def _report_changes(self) -> bool:
        try:
            looks = _look(self._folder)
        except OSError:
            # The files changed while they were being looked at: there will be another turn.
            return False
        changed = {name for name, _ in looks.items() ^ self._seen.items()}
        self._seen = looks
        if changed:
            self._on_change(frozenset(changed))
        return bool(changed)

    def _poll(self, reason: str) -> None:
        self._polling = True
        self._on_polling(reason)

    def _matters(self, _: Change, path: str) -> bool:
        try:
            relative = Path(path).relative_to(self._folder).as_posix()
        except ValueError:
            return True
        return not relative.startswith(".git/") and not is_by_product(relative)


def _look(folder: Path) -> _Looks:
    """What can be seen of each Python file without reading it; nothing where there is no folder."""
    looks: _Looks = {}
    if not folder.is_dir():
        return looks
    for name, path in files_of(folder).items():
        if name.endswith(".py"):
            with suppress(OSError):
                status = path.stat()
                looks[name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return looks


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
