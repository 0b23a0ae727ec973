"""The measuring server: everything that is measured runs in a child of it, and it outlives none of them.

It reads requests as JSON lines on standard input and answers each with two JSON lines on standard output:
`{"ready": true}` when the workspace's code is about to run, then how that ended (see `Ending`). In place of
either comes `{"failed": why}` when it cannot do its part. Each of them bears the request's ticket. For
forking it imports the heavy libraries once, those named on its command line (after the judge's process id)
before it is asked anything; it imports none of the player's code and runs no torch operation itself: its
children do.

An empty line ends the measurement that is running, and is answered with `{"stopped": true}`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bughunt.files import remove_folder
from bughunt.judge.supervise import Abandoned, Ending, guard_process, run_forked, run_fresh


def main() -> None:
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    guard_process()
    judge, *preload = sys.argv[1:]
    for name in preload:
        with suppress(Exception):
            importlib.import_module(name)

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
    if _is_gone(int(judge)):
        remove_folder(Path.cwd())


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
