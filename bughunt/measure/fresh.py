"""A measuring process that is a new interpreter: how it is started, and what it does.

It reads the request from standard input and writes the result to standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

from bughunt.confine.hold import hold
from bughunt.confine.kernel import die_with_parent
from bughunt.measure import inside
from bughunt.measure.children import TooMuch, end_child, wait_for
from bughunt.measure.environment import child_command, child_environment
from bughunt.measure.outcomes import PRELOAD_SECONDS
from bughunt.measure.process_exit import ProcessExit, read_printed, read_result, size_of
from bughunt.measure.supervision import Supervisor


def run_fresh(
    request: dict[str, Any],
    search_path: list[str],
    cancel: int | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> ProcessExit:
    """Measures in a new interpreter. `search_path` is where it finds bughunt and its libraries.

    The clock starts when it has imported what it was to preload; then `on_ready` is called. Raises
    Cancelled when the descriptor `cancel` becomes readable.
    """
    limits = request["limits"]
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
        exceeded = ""
        try:
            ended = _await_ready(process, result, cancel)
            ready = size_of(result) > 0
            started = time.monotonic()
            if ready:
                on_ready()
                supervisor = Supervisor(limits["memory"], limits["processes"])
                ended = ended or wait_for(process, started + limits["seconds"], cancel, supervisor)
        except TooMuch as reason:
            exceeded = str(reason)
        finally:
            end_child(process)
        seconds = time.monotonic() - started
        return ProcessExit(
            status=process.wait(),
            ready=ready,
            timed_out=not (ended or exceeded),
            result=read_result(result, limits["returned"]),
            printed=read_printed(output),
            seconds=seconds,
            exceeded=exceeded,
        )


def _await_ready(process: subprocess.Popen[bytes], result: IO[bytes], cancel: int | None) -> bool:
    """Waits for the first byte of the result; True when the process ended instead."""
    deadline = time.monotonic() + PRELOAD_SECONDS
    while size_of(result) == 0 and time.monotonic() < deadline:
        if wait_for(process, time.monotonic() + 0.01, cancel):
            return True
    return False


def main() -> None:
    """What the new interpreter does."""
    request = json.loads(sys.stdin.buffer.read())
    result_fd = os.dup(1)
    os.dup2(2, 1)
    die_with_parent()
    # The server ignores it, and what it starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in request["preload"]:
        importlib.import_module(name)
    if request["holds"] is not None:
        hold(**request["holds"])
    # White space before the JSON: this process is ready, its clock may start.
    os.write(result_fd, b"\n")
    inside.perform(request, result_fd)
