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
from threading import Event
from types import TracebackType
from typing import IO, Any, Literal, NoReturn, cast

from bughunt.files import remove_folder
from bughunt.judge.endings import conclude
from bughunt.judge.environment import child_command, child_environment, trusted_search_path
from bughunt.judge.outcomes import Failure, Limits, Outcome, Stopped
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


class Measurer:
    """Measures workspaces, one at a time. A context manager: what it started is gone when it closes."""

    def __init__(self, mode: Mode | None = None, *, sandbox: bool = False) -> None:
        self.mode = mode or default_mode()
        self._sandbox = sandbox
        self._server: _Server | None = None
        self._scratch = Path(tempfile.mkdtemp(prefix="bughunt-"))

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._drop_server()
        remove_folder(self._scratch)

    def warm_up(self, preload: Iterable[str] = ()) -> None:
        """Starts the server, so that it imports while the caller does something else."""
        if sys.platform != "win32" and self._server is None:
            self._server = _Server(str(self._scratch), preload if self.mode == "fork" else ())

    def measure(
        self,
        measure: Path,
        workspace: Path,
        inputs: Any,
        preload: Iterable[str],
        limits: Limits,
        stop: Event | None = None,
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

    def _ask_server(self, request: dict[str, Any], limits: Limits, stop: Event | None) -> Outcome:
        # Only the code under measurement runs beside the server, so it is what ended it, most likely; an
        # accident would hardly happen twice.
        for _ in range(2):
            self.warm_up(request["preload"])
            assert self._server is not None
            try:
                return self._server.ask(request, limits, stop)
            except _ServerGone as gone:
                started, printed = gone.started, self._server.printed()
                self._drop_server()
        if started:
            return Failure("The code ended, or stopped, the process that supervises its measurement.")
        return Failure("The measuring process could not be started.", printed, ours=True)

    def _drop_server(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class _ServerGone(Exception):
    """The server does not answer any more; `started` says whether the workspace's code ran already."""

    def __init__(self, started: bool) -> None:
        super().__init__()
        self.started = started


class _Server:
    """The measuring server as a child process."""

    def __init__(self, scratch: str, preload: Iterable[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [*child_command("bughunt.judge.server", trusted_search_path()), str(os.getpid()), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=child_environment(scratch),
            cwd=scratch,
            start_new_session=True,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        self._unread = bytearray()
        self._busy = False

    def ask(self, request: dict[str, Any], limits: Limits, stop: Event | None) -> Outcome:
        """What the measurement comes to. Raises _ServerGone when the server is no more, or hangs.

        Raises Stopped when `stop` is set while the workspace's code runs.
        """
        self._busy, started = True, False
        try:
            # What answers another request is stale, or was never the server's.
            ticket = os.urandom(8).hex()
            self._requests.write(json.dumps({**request, "ticket": ticket}).encode() + b"\n")
            self._requests.flush()
            answer = self._answer(ticket, PRELOAD_SECONDS + _MARGIN_SECONDS)
            if answer == {"ready": True}:
                started = True
                answer = self._answer(ticket, limits.seconds + _MARGIN_SECONDS, stop)
            if answer.keys() == {"failed"}:
                message = f"The measurement could not be made: {answer['failed']}"
                outcome: Outcome = Failure(message, ours=True)
            else:
                outcome = conclude(Ending(**answer), limits)
        except (OSError, ValueError, TypeError, AttributeError):
            raise _ServerGone(started) from None
        self._busy = False
        return outcome

    def _answer(self, ticket: str, patience: float, stop: Event | None = None) -> Any:
        deadline = time.monotonic() + patience
        while True:
            answer = self._read(deadline - time.monotonic(), stop)
            if answer.pop("ticket", None) == ticket:
                return answer

    def _stop(self) -> NoReturn:
        """Has the server end the measurement that is running."""
        self._requests.write(b"\n")
        self._requests.flush()
        while self._read(_MARGIN_SECONDS) != {"stopped": True}:
            pass
        self._busy = False
        raise Stopped

    def _read(self, patience: float, stop: Event | None = None) -> Any:
        """The next line, as JSON. Raises OSError when none comes, ValueError when it is not JSON."""
        deadline = time.monotonic() + patience
        descriptor = self._answers.fileno()
        while (end := self._unread.find(b"\n")) < 0:
            remaining = max(0.0, deadline - time.monotonic())
            if stop is not None:
                remaining = min(remaining, _STOP_SECONDS)
            if not select.select([descriptor], [], [], remaining)[0]:
                if stop is not None and stop.is_set():
                    self._stop()
                if time.monotonic() >= deadline:
                    raise TimeoutError
                continue
            chunk = os.read(descriptor, 1 << 20)
            if not chunk:
                raise BrokenPipeError
            self._unread += chunk
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return json.loads(line)

    def printed(self) -> str:
        """The end of what the server had to say for itself."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-4000:]

    def close(self) -> None:
        """Ends the server. One in the middle of a measurement is given a moment to end that first."""
        with suppress(OSError):
            self._requests.close()
        if self._busy:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._errors.close()
