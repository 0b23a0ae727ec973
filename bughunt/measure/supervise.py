"""Around one measuring process: start it, wait for it within its time, leave nothing of it behind.

Two ways with the same outcome: `run_forked` forks the present process, which has imported the heavy
libraries already (POSIX only); `run_fresh` starts a new interpreter. On Linux the present process should be
a subreaper (see `guard_process`), so that what the measuring process leaves running is found and ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from bughunt.measure import inside, kernel
from bughunt.measure.environment import child_command, child_environment
from bughunt.measure.leftovers import end_strays

# Importing torch from a cold disk takes its time; this only bounds an import that hangs.
PRELOAD_SECONDS = 180.0
_PRINTED_BYTES = 4000


@dataclass(frozen=True)
class Ending:
    """How a measuring process ended, and what it left: all of it untrusted.

    `status` is its exit status, or minus the signal that ended it. `ready` is False when it did not even
    get as far as the workspace's code. `result` is what it wrote down, None for more than it may; `printed`
    the end of its output.
    """

    status: int
    ready: bool
    timed_out: bool
    result: str | None
    printed: str
    seconds: float


class Abandoned(Exception):
    """Nobody waits for the outcome of the measurement any more."""


def guard_process() -> None:
    """Makes this process one that inherits strays and cannot be read or traced by its children (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.inherit_strays()
    kernel.forbid_tracing()


def run_forked(request: dict[str, Any], asker: int | None = None) -> Ending:
    """Measures in a fork of this process, which must have run no torch operation and hold no threads.

    `asker` is a descriptor that becomes readable when nobody waits for the outcome any more; then Abandoned
    is raised.
    """
    with tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = _Forked(os.fork())
        if child.pid == 0:
            _become_child(request, result.fileno(), output.fileno())
        try:
            ended = _wait(child, started + request["limits"]["seconds"], asker)
        finally:
            _end(child)
        seconds = time.monotonic() - started
        return Ending(child.wait(), True, not ended, _result(request, result), _printed(output), seconds)


def run_fresh(
    request: dict[str, Any],
    search_path: list[str],
    asker: int | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> Ending:
    """Measures in a new interpreter. `search_path` is where it finds bughunt and its libraries.

    The clock starts when it has imported what it was to preload; then `on_ready` is called.
    """
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as result,
        tempfile.TemporaryFile() as output,
    ):
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        process = subprocess.Popen(
            child_command("bughunt.measure.fresh", search_path),
            stdin=asked,
            stdout=result,
            stderr=output,
            env=child_environment(request["scratch"]),
            cwd=request["scratch"],
            start_new_session=True,
        )
        try:
            ended = _await_ready(process, result, asker)
            ready = _size(result) > 0
            started = time.monotonic()
            if ready:
                on_ready()
                ended = ended or _wait(process, started + request["limits"]["seconds"], asker)
        finally:
            _end(process)
        seconds = time.monotonic() - started
        return Ending(process.wait(), ready, not ended, _result(request, result), _printed(output), seconds)


class _Forked:
    """A forked child, with what is used here of `subprocess.Popen`'s methods."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        return self._reap(os.WNOHANG)

    def wait(self) -> int:
        status = self._reap(0)
        assert status is not None
        return status

    def _reap(self, options: int) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, options)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


def _await_ready(process: subprocess.Popen[bytes], result: IO[bytes], asker: int | None) -> bool:
    """Waits for the first byte of a fresh process's result; True when the process ended instead."""
    deadline = time.monotonic() + PRELOAD_SECONDS
    while _size(result) == 0 and time.monotonic() < deadline:
        if _wait(process, time.monotonic() + 0.01, asker):
            return True
    return False


def _become_child(request: dict[str, Any], result_fd: int, output_fd: int) -> None:
    """In the fork: a session of its own, no descriptor but its two files, then the measurement."""
    try:
        os.setsid()
        kernel.die_with_parent()
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        os.dup2(result_fd, 3)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.closerange(4, 65536)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        inside.perform(request, 3)
    finally:
        os._exit(70)


def _wait(child: _Forked | subprocess.Popen[bytes], deadline: float, asker: int | None) -> bool:
    """Waits until the child has ended (True) or the deadline has passed (False)."""
    askers = [] if asker is None else [asker]
    descriptor = _descriptor_of(child.pid)
    try:
        while True:
            remaining = max(0.0, deadline - time.monotonic())
            if descriptor is not None:
                readable = select.select([descriptor, *askers], [], [], remaining)[0]
            elif child.poll() is not None:
                return True
            else:
                readable = _pause(askers, min(0.005, remaining))
            if descriptor in readable:
                return True
            if readable:
                raise Abandoned
            if time.monotonic() >= deadline:
                return False
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _descriptor_of(pid: int) -> int | None:
    """What `select` waits for the end of a process with, without reaping it (Linux)."""
    if sys.platform == "linux":
        with suppress(OSError):
            return os.pidfd_open(pid)
    return None


def _pause(askers: list[int], seconds: float) -> list[int]:
    if askers:
        return select.select(askers, [], [], seconds)[0]
    time.sleep(seconds)
    return []


def _end(child: _Forked | subprocess.Popen[bytes]) -> None:
    """Ends the child, its process group, and whatever it started outside of that."""
    if sys.platform == "win32":
        child.kill()
    else:
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(child.pid, signal.SIGKILL)
    child.wait()
    end_strays()


def _result(request: dict[str, Any], file: IO[bytes]) -> str | None:
    if _size(file) > request["limits"]["returned"] + 100:
        return None
    file.seek(0)
    return file.read().decode(errors="replace")


def _printed(output: IO[bytes]) -> str:
    output.seek(max(0, _size(output) - _PRINTED_BYTES))
    return output.read().decode(errors="replace").strip()


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size
