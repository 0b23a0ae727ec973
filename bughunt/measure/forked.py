"""A measuring process forked from this one, which has imported the heavy libraries already (POSIX only).

On Linux this process should be guarded (see `confine.kernel.guard_process`), so that what the measuring
process leaves running is found and ended.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from typing import Any

from bughunt.confine.hold import hold, prepare
from bughunt.confine.kernel import die_with_parent
from bughunt.measure import inside
from bughunt.measure.children import ForkedChild, TooMuch, end_child, wait_for
from bughunt.measure.process_exit import ProcessExit, read_printed, read_result
from bughunt.measure.supervision import Supervisor


def run_forked(request: dict[str, Any], cancel: int | None = None) -> ProcessExit:
    """Measures in a fork of this process, which must have run no torch operation and hold no threads.

    Raises Cancelled when the descriptor `cancel` becomes readable.
    """
    limits = request["limits"]
    if request["holds"] is not None:
        prepare(request["holds"]["hidden"], request["holds"]["shown"])
    with tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = ForkedChild(os.fork())
        if child.pid == 0:
            _become_child(request, result.fileno(), output.fileno())
        exceeded, ended = "", False
        supervisor = Supervisor(limits["memory"], limits["processes"])
        try:
            ended = wait_for(child, started + limits["seconds"], cancel, supervisor)
        except TooMuch as reason:
            exceeded = str(reason)
        finally:
            end_child(child)
        seconds = time.monotonic() - started
        return ProcessExit(
            status=child.wait(),
            ready=True,
            timed_out=not (ended or exceeded),
            result=read_result(result, limits["returned"]),
            printed=read_printed(output),
            seconds=seconds,
            exceeded=exceeded,
        )


def _become_child(request: dict[str, Any], result_fd: int, output_fd: int) -> None:
    """In the fork: a session of its own, held, no descriptor but its two files, then the measurement."""
    try:
        os.setsid()
        die_with_parent()
        if request["holds"] is not None:
            hold(**request["holds"])
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
