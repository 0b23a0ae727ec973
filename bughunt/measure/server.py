"""The measuring server: everything that is measured runs in a child of it, and it outlives none of them.

It imports the heavy libraries once, those named on its command line (after the judge's process id and the
descriptors of its lanes), then forks a copy of itself for each lane: a copy measures one thing at a time.
Neither it nor the copies import any of the player's code or run a torch operation: their children do.

On a lane, requests come as JSON lines; each is answered with two JSON lines: `{"ready": true}` when the
workspace's code is about to run, then how that ended (see `Ending`). In place of either comes
`{"failed": why}` when the server cannot do its part. Each of them bears the request's ticket. An empty line
ends the measurement that is running, and is answered with `{"stopped": true}`.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

from bughunt.files import remove_folder
from bughunt.measure.kernel import die_with_parent
from bughunt.measure.leftovers import end_strays
from bughunt.measure.supervise import Abandoned, Ending, guard_process, run_forked, run_fresh


def main() -> None:
    judge, lanes, *preload = sys.argv[1:]
    descriptors = json.loads(lanes)
    guard_process()
    for name in preload:
        with suppress(Exception):
            importlib.import_module(name)
    # What is imported stays: no collection in a child has to look at it, and have its memory copied.
    gc.freeze()
    copies = [_fork_lane(lane, descriptors) for lane in descriptors]
    _close_all(descriptors)
    for copy in copies:
        os.waitpid(copy, 0)
    # A copy that was killed could not do so itself.
    end_strays()
    if _is_gone(int(judge)):
        remove_folder(Path.cwd())


def _fork_lane(lane: list[int], lanes: list[list[int]]) -> int:
    """Starts a copy of this process that answers the requests of `lane` as long as they come."""
    copy = os.fork()
    if copy:
        return copy
    try:
        die_with_parent()
        guard_process()
        _close_all([other for other in lanes if other is not lane])
        with os.fdopen(lane[0], "rb") as requests, os.fdopen(lane[1], "wb") as answers:
            _answer_requests(requests, answers)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _close_all(lanes: list[list[int]]) -> None:
    """Else the judge would not see that the copy at the other end is gone."""
    for descriptor in itertools.chain.from_iterable(lanes):
        os.close(descriptor)


def _answer_requests(requests: IO[bytes], answers: IO[bytes]) -> None:
    def answer(document: dict[str, Any]) -> None:
        answers.write(json.dumps(document).encode() + b"\n")
        answers.flush()

    for line in requests:
        if not line.strip():
            answer({"stopped": True})
            continue
        ticket = None
        try:
            request = json.loads(line)
            ticket = request["ticket"]
            ready = {"ticket": ticket, "ready": True}
            ending = _serve(request, requests.fileno(), partial(answer, ready))
        except Abandoned:
            # Why, the next line tells: an empty one, or none at all.
            continue
        except Exception as error:
            answer({"ticket": ticket, "failed": f"{type(error).__name__}: {error}"})
        else:
            answer({"ticket": ticket, **asdict(ending)})


def _is_gone(judge: int) -> bool:
    """Was the judge killed, so that it cannot remove its own scratch folder? Its end shows a moment later."""
    for _ in range(20):
        if os.getppid() != judge:
            return True
        time.sleep(0.01)
    return False


def _serve(request: dict[str, Any], asker: int, on_ready: Callable[[], None]) -> Ending:
    if request["mode"] == "fresh":
        return run_fresh(request, sys.path, asker, on_ready)
    for name in request["preload"]:
        importlib.import_module(name)
    on_ready()
    return run_forked(request, asker)
