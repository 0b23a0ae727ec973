"""The warm measuring server: imports the heavy libraries once, then forks a child for every measurement.

It reads requests as JSON lines on standard input and answers each with a JSON line on standard output.
It imports none of the player's code and runs no torch operation: its children do.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from bughunt.judge.outcomes import Failure, Outcome
from bughunt.judge.supervise import run_forked

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    _guard_process()
    for line in requests:
        request = json.loads(line)
        outcome = _serve(request)
        answers.write(json.dumps({"kind": type(outcome).__name__, **asdict(outcome)}).encode() + b"\n")
        answers.flush()


def _serve(request: dict[str, Any]) -> Outcome:
    for name in request["preload"]:
        try:
            importlib.import_module(name)
        except Exception as error:
            return Failure(f"{name} cannot be imported: {type(error).__name__}: {error}", ours=True)
    try:
        return run_forked(request)
    except OSError as error:
        return Failure(f"a measuring process could not be started: {error}", ours=True)


def _guard_process() -> None:
    """Ends with the judge, inherits strays, and cannot be read or traced by its children (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            prctl = ctypes.CDLL(None).prctl
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            prctl(_PR_SET_CHILD_SUBREAPER, 1)
            prctl(_PR_SET_DUMPABLE, 0)
