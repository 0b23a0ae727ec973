"""Around one measuring process: start it, wait for it within its time, leave nothing of it behind.

Two ways with the same outcome: `run_forked` forks the present process, which has imported the heavy
libraries already (POSIX only); `run_fresh` starts a new interpreter.
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
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from bughunt.judge import cell, kernel
from bughunt.judge.environment import child_command, child_environment
from bughunt.judge.outcomes import Failure, Limits, Measurement, Outcome

_DETAIL_BYTES = 4000


def run_forked(request: dict[str, Any]) -> Outcome:
    """Measures in a fork of this process, which must have run no torch operation and hold no threads."""
    limits = Limits(**request["limits"])
    with tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as output:
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            _become_child(request, result.fileno(), output.fileno())
        timed_out = not _wait(pid, started + limits.seconds)
        _kill_group(pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        _reap_strays()
        return _outcome(request, status, timed_out, result, output, time.monotonic() - started)


def run_fresh(request: dict[str, Any], search_path: list[str]) -> Outcome:
    """Measures in a new interpreter. `search_path` is where it finds bughunt and its libraries."""
    limits = Limits(**request["limits"])
    with (
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as result,
        tempfile.TemporaryFile() as output,
    ):
        asked.write(json.dumps(request).encode())
        asked.seek(0)
        # Imports count against the clock here, so they get time of their own.
        allowance = limits.seconds + 60.0
        started = time.monotonic()
        process = subprocess.Popen(
            child_command("bughunt.judge.fresh", search_path),
            stdin=asked,
            stdout=result,
            stderr=output,
            env=child_environment(request["scratch"]),
            cwd=request["scratch"],
            start_new_session=True,
        )
        timed_out = False
        try:
            process.wait(allowance)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _kill_group(process.pid)
            process.kill()
            process.wait()
        seconds = time.monotonic() - started
        return _outcome(request, process.returncode, timed_out, result, output, seconds)


def _become_child(request: dict[str, Any], result_fd: int, output_fd: int) -> None:
    """In the fork: a session of its own, no descriptor but its two files, then the measurement."""
    try:
        kernel.die_with_parent()
        os.setsid()
        os.dup2(result_fd, 3)
        os.dup2(output_fd, 1)
        os.dup2(1, 2)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.closerange(4, 65536)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cell.perform(request, 3)
    finally:
        os._exit(70)


def _wait(pid: int, deadline: float) -> bool:
    """Waits until the child has ended (without reaping it) or the deadline has passed."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            descriptor = os.pidfd_open(pid)
            try:
                remaining = max(0.0, deadline - time.monotonic())
                return bool(select.select([descriptor], [], [], remaining)[0])
            finally:
                os.close(descriptor)
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return True
        time.sleep(0.005)
    return False


def _kill_group(pid: int) -> None:
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _reap_strays() -> None:
    """Kills what the child left running in sessions of its own; as a subreaper we inherit it (Linux)."""
    for _ in range(100):
        children = _children()
        if not children:
            break
        for pid in children:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def _outcome(
    request: dict[str, Any],
    status: int,
    timed_out: bool,
    result: IO[bytes],
    output: IO[bytes],
    seconds: float,
) -> Outcome:
    limits = Limits(**request["limits"])
    printed = _tail(output)
    if timed_out:
        return Failure(
            f"The code was still running after {limits.seconds:g} seconds.", printed, seconds=seconds
        )
    size = result.seek(0, os.SEEK_END)
    result.seek(0)
    answer: Any = None
    if 0 < size <= limits.written:
        with suppress(ValueError, RecursionError):
            answer = json.loads(result.read())
    if isinstance(answer, dict) and answer.keys() == {"data"} and status == 0:
        return Measurement(answer["data"], seconds)
    if isinstance(answer, dict) and isinstance(answer.get("raised"), dict):
        raised = {key: str(value) for key, value in answer["raised"].items()}
        return Failure(_say_raised(raised), raised.get("detail", "")[:_DETAIL_BYTES], seconds=seconds)
    return Failure(_say_ended(status), printed, seconds=seconds)


def _say_raised(raised: dict[str, str]) -> str:
    kind = raised.get("type", "An exception")
    if kind == "MemoryError" or "can't allocate memory" in raised.get("message", ""):
        return "The code ran out of the memory that a measurement may use."
    if kind in ("SystemExit", "KeyboardInterrupt"):
        return f"The code ended with {kind} before it could be measured."
    if kind == "OSError" and "File too large" in raised.get("message", ""):
        return "The code wrote more than a measurement may write."
    message = raised.get("message", "").strip().split("\n")[0]
    return f"The code raised {kind}: {message}" if message else f"The code raised {kind}."


def _say_ended(status: int) -> str:
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        if name == "SIGXFSZ":
            return "The code wrote more than a measurement may write."
        return f"The process that ran the code was ended by {name} before it could be measured."
    return f"The code ended the process (exit status {status}) before it could be measured."


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _DETAIL_BYTES))
    return output.read().decode(errors="replace").strip()
