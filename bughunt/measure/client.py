"""The measuring server, seen from the judge: started as a child process, and asked on its lanes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from bughunt.measure.environment import child_command, child_environment, trusted_search_path
from bughunt.measure.outcomes import Failure, Flag, Limits, Outcome, Stopped
from bughunt.measure.results import conclude
from bughunt.measure.supervise import PRELOAD_SECONDS, Ending

# How soon a measurement notices that it is to stop.
_STOP_SECONDS = 0.02

# What a server may take beyond the measurement itself, to clean up after it and to answer.
_MARGIN_SECONDS = 15.0


class ServerGone(Exception):
    """The server does not answer any more; `started` says whether the workspace's code ran already."""

    def __init__(self, started: bool) -> None:
        super().__init__()
        self.started = started


class Server:
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
                    *child_command("bughunt.measure.server", trusted_search_path()),
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
        lane = self._free_lane()
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

    def _free_lane(self) -> _Lane:
        while not self._closed:
            with suppress(Empty):
                return self._lanes.get(timeout=_STOP_SECONDS)
        raise ServerGone(started=False)

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
        """What the measurement comes to. Raises ServerGone when the server is no more, or hangs.

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
            raise ServerGone(started) from None
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
            raise ServerGone(started) from None
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
