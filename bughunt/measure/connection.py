"""A connection to one worker of the measuring server: one request at a time, answered in JSON lines."""

from __future__ import annotations

import json
import os
import select
import time
from contextlib import suppress
from typing import Any

from bughunt.measure.outcomes import PRELOAD_SECONDS, Failure, Flag, Limits, Outcome, Stopped
from bughunt.measure.process_exit import ProcessExit
from bughunt.measure.results import conclude_parts

# How soon a measurement notices that it is to stop.
STOP_SECONDS = 0.02

# What a worker may take beyond the measurement itself, to clean up after it and to answer.
_MARGIN_SECONDS = 15.0


class ServerGone(Exception):
    """The server does not answer any more; `started` says whether the workspace's code ran already."""

    def __init__(self, started: bool) -> None:
        super().__init__()
        self.started = started


class Connection:
    """The near ends of two pipes: `requests` to write to, `answers` to read from."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests = os.fdopen(requests, "wb")
        self._answers = answers
        self._unread = bytearray()
        self._busy = False

    def ask(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> list[Outcome]:
        """What the parts of the measurement come to, see `conclude_parts`.

        Raises ServerGone when the server is no more, or hangs, and Stopped when `stop` is set.
        """
        self._busy, started = True, False
        try:
            # What answers another request is stale, or was never the server's.
            request_id = os.urandom(8).hex()
            self._write(json.dumps({**request, "id": request_id}).encode())
            answer = self._answer(request_id, PRELOAD_SECONDS + _MARGIN_SECONDS, stop)
            if answer == {"ready": True}:
                started = True
                answer = self._answer(request_id, limits.seconds + _MARGIN_SECONDS, stop)
            if answer.keys() == {"failed"}:
                message = f"The measurement could not be made: {answer['failed']}"
                outcomes: list[Outcome] = [Failure(message, ours=True)]
            else:
                outcomes = conclude_parts(ProcessExit(**answer), limits, len(request["parts"]))
        except _StopNow:
            self._cancel(started)
            raise Stopped from None
        except (OSError, ValueError, TypeError, AttributeError):
            raise ServerGone(started) from None
        self._busy = False
        return outcomes

    def close(self) -> bool:
        """Was a measurement still running?"""
        with suppress(OSError):
            self._requests.close()
        os.close(self._answers)
        return self._busy

    def _answer(self, request_id: str, patience: float, stop: Flag | None) -> Any:
        deadline = time.monotonic() + patience
        while True:
            answer = self._read(deadline - time.monotonic(), stop)
            if answer.pop("id", None) == request_id:
                return answer

    def _cancel(self, started: bool) -> None:
        """Has the worker end the measurement. Waits for that if the workspace's code runs already.

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
                remaining = min(remaining, STOP_SECONDS)
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
