"""The measuring server: everything that is measured runs in a child of it, and it outlives none of them.

It imports the heavy libraries once, those named on its command line (after its owner's process id and the
descriptors of its connections), then forks a worker for each connection: a worker measures one thing at a
time. Neither it nor the workers import any of the player's code or run a torch operation: their children do.

On a connection, requests come as JSON lines; each is answered with two JSON lines: `{"ready": true}` when
the workspace's code is about to run, then how that ended (see `ProcessExit`). In place of either comes
`{"failed": why}` when the worker cannot do its part. Each of them bears the request's `id`. An empty line
cancels the measurement that is running, and is answered with `{"stopped": true}`.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

from bughunt.confine.kernel import come_first, die_with_parent, guard_process
from bughunt.disk.files import remove_folder
from bughunt.measure.children import Cancelled
from bughunt.measure.forked import run_forked
from bughunt.measure.fresh import run_fresh
from bughunt.measure.leftovers import end_leftovers
from bughunt.measure.parting import is_gone
from bughunt.measure.process_exit import ProcessExit


def main() -> None:
    owner, folder, ends, *preload = sys.argv[1:]
    connections = json.loads(ends)
    guard_process()
    for name in preload:
        with suppress(Exception):
            importlib.import_module(name)
    # What is imported stays: no collection in a child has to look at it, and have its memory copied.
    gc.freeze()
    workers = [_fork_worker(connection, connections) for connection in connections]
    _close_all(connections)
    for worker in workers:
        os.waitpid(worker, 0)
    # A worker that was killed could not do so itself.
    end_leftovers()
    # In a sandbox there is no owner to be seen, and no folder: see `enclosed`.
    if owner and is_gone(int(owner)):
        remove_folder(Path(folder))


def _fork_worker(connection: list[int], connections: list[list[int]]) -> int:
    """Starts a copy of this process that answers the requests of `connection` as long as they come."""
    worker = os.fork()
    if worker:
        return worker
    try:
        die_with_parent()
        guard_process()
        come_first()
        _close_all([other for other in connections if other is not connection])
        with os.fdopen(connection[0], "rb") as requests, os.fdopen(connection[1], "wb") as answers:
            _answer_requests(requests, answers)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _close_all(connections: list[list[int]]) -> None:
    """Else the owner would not see that the worker at the other end is gone."""
    for descriptor in itertools.chain.from_iterable(connections):
        os.close(descriptor)


def _answer_requests(requests: IO[bytes], answers: IO[bytes]) -> None:
    def answer(document: dict[str, Any]) -> None:
        answers.write(json.dumps(document).encode() + b"\n")
        answers.flush()

    for line in requests:
        if not line.strip():
            answer({"stopped": True})
            continue
        request_id = None
        try:
            request = json.loads(line)
            request_id = request["id"]
            ready = {"id": request_id, "ready": True}
            process_exit = _measure(request, requests.fileno(), partial(answer, ready))
        except Cancelled:
            # Why, the next line tells: an empty one, or none at all.
            continue
        except Exception as error:
            answer({"id": request_id, "failed": f"{type(error).__name__}: {error}"})
        else:
            answer({"id": request_id, **asdict(process_exit)})


def _measure(request: dict[str, Any], cancel: int, on_ready: Callable[[], None]) -> ProcessExit:
    scratch = Path(request["scratch"])
    scratch.mkdir(exist_ok=True)
    try:
        if request["mode"] == "fresh":
            return run_fresh(request, sys.path, cancel, on_ready)
        for name in request["preload"]:
            importlib.import_module(name)
        on_ready()
        return run_forked(request, cancel)
    finally:
        remove_folder(scratch)
