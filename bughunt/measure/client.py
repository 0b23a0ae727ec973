"""The measuring server, seen from its owner: started as a child process, and asked over its connections."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from bughunt.confine.view import View
from bughunt.measure.connection import STOP_SECONDS, Connection, ServerGone
from bughunt.measure.environment import child_command, child_environment
from bughunt.measure.outcomes import Flag, Limits, Outcome
from bughunt.measure.sandbox import Way, enclosed
from bughunt.measure.texts import DETAIL_CHARACTERS, tidy


@dataclass(frozen=True)
class Start:
    """How a server is started: `folder` is its owner's, with the `scratch` folder and the kit in it.

    In a sandbox, made in this `way`, it sees no more than `view`.
    """

    folder: str
    scratch: str
    search_path: Sequence[str]
    workers: int
    preload: Sequence[str] = ()
    way: Way | None = None
    view: View | None = None

    def command(self, ends: list[tuple[int, int]]) -> list[str]:
        """The command, for a process that has these far ends of connections open."""
        command = [
            *child_command("bughunt.measure.server", list(self.search_path)),
            *(str(os.getpid()) if self.way is None else "", self.folder, json.dumps(ends), *self.preload),
        ]
        if self.way is None or self.view is None:
            return command
        descriptors = [descriptor for end in ends for descriptor in end]
        return enclosed(self.way, self.view, self.folder, descriptors, command)


class Server:
    """The measuring server as a child process. Each of its workers measures one thing at a time."""

    def __init__(self, start: Start) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._free: SimpleQueue[Connection] = SimpleQueue()
        self._closed = False
        pipes = [(os.pipe(), os.pipe()) for _ in range(start.workers)]
        far_ends = [(requests[0], answers[1]) for requests, answers in pipes]
        try:
            self._process = subprocess.Popen(
                start.command(far_ends),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[descriptor for ends in far_ends for descriptor in ends],
                env=child_environment(start.scratch),
                cwd=start.scratch,
                start_new_session=True,
            )
        finally:
            for descriptor in (descriptor for ends in far_ends for descriptor in ends):
                os.close(descriptor)
            for requests, answers in pipes:
                self._free.put(Connection(requests[1], answers[0]))

    def ask(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> list[Outcome]:
        """What the measurement comes to, by the next worker that is free. See `Connection.ask`."""
        connection = self._free_connection()
        try:
            return connection.ask(request, limits, stop)
        finally:
            self._free.put(connection)
            if self._closed:
                self._close_free()

    def printed(self) -> str:
        """The end of what the server had to say for itself, until it is closed."""
        with suppress(ValueError):
            self._errors.seek(0)
            return tidy(self._errors.read().decode(errors="replace"), DETAIL_CHARACTERS)
        return ""

    def close(self) -> None:
        """Ends the server. One in the middle of a measurement is given a moment to end that first.

        A connection that another thread waits on is closed by that thread, when it sees that nobody answers.
        """
        self._closed = True
        if self._close_free():
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _free_connection(self) -> Connection:
        while not self._closed:
            with suppress(Empty):
                return self._free.get(timeout=STOP_SECONDS)
        raise ServerGone(started=False)

    def _close_free(self) -> bool:
        """Closes the connections that nobody uses. Is there still something running behind one of them?"""
        busy = False
        with suppress(Empty):
            while True:
                busy |= self._free.get_nowait().close()
        return busy
