"""Measuring, seen from the judge: a workspace and inputs go in, an outcome comes out."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from types import TracebackType
from typing import Any, Literal, cast

from bughunt.files import remove_folder
from bughunt.judge.endings import conclude
from bughunt.judge.environment import child_command, child_environment, trusted_search_path
from bughunt.judge.outcomes import Failure, Flag, Limits, Outcome, Stopped
from bughunt.judge.supervise import PRELOAD_SECONDS, Ending, run_fresh

Mode = Literal["fork", "fresh"]

# How soon a measurement notices that it is to stop.
_STOP_SECONDS = 0.02

# What a server may take beyond the measurement itself, to clean up after it and to answer.
_MARGIN_SECONDS = 15.0


def default_mode() -> Mode:
    """Fork a warm server where that is safe; start fresh processes on macOS and Windows."""
    chosen = os.environ.get("BUGHUNT_JUDGE")
    if chosen in ("fork", "fresh"):
        return cast(Mode, chosen)
    return "fork" if sys.platform == "linux" else "fresh"


def lanes_here() -> int:
    """Two where two processors can work at the same time."""
    return min(2, os.cpu_count() or 1)


class Measurer:
    """Measures workspaces, as many at a time as it has lanes, each asked from a thread of its own.

    A context manager: what it started is gone when it closes.
    """

    def __init__(self, mode: Mode | None = None, *, sandbox: bool = False, lanes: int = 1) -> None:
        self.mode = mode or default_mode()
        self.lanes = 1 if sys.platform == "win32" else lanes
        self._sandbox = sandbox
        self._server: _Server | None = None
        self._changing = Lock()
        self._scratch = Path(tempfile.mkdtemp(prefix="bughunt-"))

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._server is not None:
            self._drop(self._server)
        remove_folder(self._scratch)

    def warm_up(self, preload: Iterable[str] = ()) -> None:
        """Starts the server, so that it imports while the caller does something else."""
        if sys.platform != "win32":
            self._started(preload)

    def measure(
        self,
        measure: Path,
        workspace: Path,
        inputs: Any,
        preload: Iterable[str],
        limits: Limits,
        stop: Flag | None = None,
    ) -> Outcome:
        """Runs `measure(inputs)` of the file `measure` with `workspace` first on the module search path.

        Raises Stopped when another thread sets `stop` meanwhile (on Windows only after the measurement).
        """
        scratch = Path(tempfile.mkdtemp(dir=self._scratch))
        request = {
            "mode": self.mode,
            "sandbox": self._sandbox,
            "measure": str(measure),
            "workspace": str(workspace.resolve()),
            "inputs": inputs,
            "preload": list(preload),
            "limits": asdict(limits),
            "scratch": str(scratch),
        }
        try:
            if sys.platform == "win32":
                outcome = conclude(run_fresh(request, trusted_search_path()), limits)
            else:
                outcome = self._ask_server(request, limits, stop)
            if stop is not None and stop.is_set():
                raise Stopped
            return outcome
        finally:
            remove_folder(scratch)

    def _ask_server(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> Outcome:
        # Only the code under measurement runs beside the server, so it is what ended it, most likely; an
        # accident would hardly happen twice.
        for _ in range(2):
            server = self._started(request["preload"])
            try:
                return server.ask(request, limits, stop)
            except _ServerGone as gone:
                started, printed = gone.started, server.printed()
                self._drop(server)
        if started:
            return Failure("The code ended, or stopped, the process that supervises its measurement.")
        return Failure("The measuring process could not be started.", printed, ours=True)

    def _started(self, preload: Iterable[str]) -> _Server:
        with self._changing:
            if self._server is None:
                preload = preload if self.mode == "fork" else ()
                self._server = _Server(str(self._scratch), preload, self.lanes)
            return self._server

    def _drop(self, server: _Server) -> None:
        with self._changing:
            if self._server is server:
                self._server = None
                server.close()


class _ServerGone(Exception):
    """The server does not answer any more; `started` says whether the workspace's code ran already."""

    def __init__(self, started: bool) -> None:
        super().__init__()
        self.started = started


class _Server:
    """The measuring server as a child process."""

    def __init__(self, scratch: str, preload: Iterable[str], lanes: int) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._lanes: SimpleQueue[_Lane] = SimpleQueue()
        self._closed = False
        pipes = [(os.pipe(), os.pipe()) for _ in range(lanes)]
        theirs = [(incoming[0], outgoing[1]) for incoming, outgoing in pipes]
        try:
            self._process = subprocess.Popen(
                [
                    *child_command("bughunt.judge.server", trusted_search_path()),
                    *(str(os.getpid()), json.dumps(theirs), *preload),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[descriptor for lane in theirs for descriptor in lane],
                env=child_environment(scratch),
                cwd=scratch,
                start_new_session=True,
            )
        finally:
            for descriptor in (descriptor for lane in theirs for descriptor in lane):
                os.close(descriptor)
            for incoming, outgoing in pipes:
                self._lanes.put(_Lane(incoming[1], outgoing[0]))

    def ask(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> Outcome:
        """What the measurement comes to, on the next lane that is free. See `_Lane.ask`."""
        lane = self._lanes.get()
        try:
            return lane.ask(request, limits, stop)
        finally:
            self._lanes.put(lane)
            if self._closed:
                self._close_lanes()

    def printed(self) -> str:
        """The end of what the server had to say for itself, until it is closed."""
        with suppress(ValueError):
            self._errors.seek(0)
            return self._errors.read().decode(errors="replace")[-4000:]
        return ""

    def close(self) -> None:
        """Ends the server. One in the middle of a measurement is given a moment to end that first.

        A lane that another thread waits on is closed by that thread, when it sees that nobody answers.
        """
        self._closed = True
        if self._close_lanes():
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _close_lanes(self) -> bool:
        """Closes the lanes that nobody uses. Is there still something running on one of them?"""
        busy = False
        with suppress(Empty):
            while True:
                busy |= self._lanes.get_nowait().close()
        return busy


class _Lane:
    """A way to ask the server: one measurement at a time."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests = os.fdopen(requests, "wb")
        self._answers = answers
        self._unread = bytearray()
        self._busy = False

    def ask(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> Outcome:
        """What the measurement comes to. Raises _ServerGone when the server is no more, or hangs.

        Raises Stopped when `stop` is set.
        """
        self._busy, started = True, False
        try:
            # What answers another request is stale, or was never the server's.
            ticket = os.urandom(8).hex()
            self._write(json.dumps({**request, "ticket": ticket}).encode())
            answer = self._answer(ticket, PRELOAD_SECONDS + _MARGIN_SECONDS, stop)
            if answer == {"ready": True}:
                started = True
                answer = self._answer(ticket, limits.seconds + _MARGIN_SECONDS, stop)
            if answer.keys() == {"failed"}:
                message = f"The measurement could not be made: {answer['failed']}"
                outcome: Outcome = Failure(message, ours=True)
            else:
                outcome = conclude(Ending(**answer), limits)
        except _StopNow:
            self._stop(started)
            raise Stopped from None
        except (OSError, ValueError, TypeError, AttributeError):
            raise _ServerGone(started) from None
        self._busy = False
        return outcome

    def close(self) -> bool:
        """Was a measurement still running?"""
        with suppress(OSError):
            self._requests.close()
        os.close(self._answers)
        return self._busy

    def _answer(self, ticket: str, patience: float, stop: Flag | None) -> Any:
        deadline = time.monotonic() + patience
        while True:
            answer = self._read(deadline - time.monotonic(), stop)
            if answer.pop("ticket", None) == ticket:
                return answer

    def _stop(self, started: bool) -> None:
        """Has the server end the measurement. Waits for that if the workspace's code runs already.

        If not, the server may still be importing; it will find out, and its answers will be stale.
        """
        try:
            self._write(b"")
            while started and self._read(_MARGIN_SECONDS) != {"stopped": True}:
                pass
        except (OSError, ValueError):
            raise _ServerGone(started) from None
        self._busy = False

    def _write(self, line: bytes) -> None:
        self._requests.write(line + b"\n")
        self._requests.flush()

    def _read(self, patience: float, stop: Flag | None = None) -> Any:
        """The next line, as JSON. Raises OSError when none comes, ValueError when it is not JSON."""
        deadline = time.monotonic() + patience
        while (end := self._unread.find(b"\n")) < 0:
            remaining = max(0.0, deadline - time.monotonic())
            if stop is not None:
                remaining = min(remaining, _STOP_SECONDS)
            if not select.select([self._answers], [], [], remaining)[0]:
                if stop is not None and stop.is_set():
                    raise _StopNow
                if time.monotonic() >= deadline:
                    raise TimeoutError
                continue
            chunk = os.read(self._answers, 1 << 20)
            if not chunk:
                raise BrokenPipeError
            self._unread += chunk
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return json.loads(line)


class _StopNow(Exception):
    """The measurement is not wanted any more."""
