"""The warm measuring server: imports the heavy libraries once, then forks a child for every measurement.

It reads requests as JSON lines on standard input and answers each with a JSON line on standard output.
It imports none of the player's code and runs no torch operation: its children do.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
from dataclasses import asdict
from typing import Any

from bughunt.judge import kernel
from bughunt.judge.outcomes import Failure, Outcome
from bughunt.judge.supervise import run_forked


def main() -> None:
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kernel.die_with_parent()
    kernel.inherit_strays()
    kernel.forbid_tracing()
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
