"""From how a measuring process ended to an outcome: a measurement, or a sentence on why there is none."""

from __future__ import annotations

import json
import re
import signal
from contextlib import suppress
from dataclasses import replace
from typing import Any

from bughunt.measure.outcomes import Failure, Limits, Measurement, Outcome
from bughunt.measure.process_exit import ProcessExit
from bughunt.measure.texts import DETAIL_CHARACTERS, tidy

_PRINTED_CHARACTERS = 1500

# What a program says that was refused something, or was given no more.
_REFUSED = re.compile(
    r"Permission denied|Operation not permitted|Read-only file system|File too large|File size limit exceeded"
)


def conclude(process: ProcessExit, limits: Limits) -> Outcome:
    """Reads what a process left. Nothing it wrote is believed to be more than data."""
    printed = tidy(process.printed, DETAIL_CHARACTERS)
    if not process.ready:
        return Failure("The measuring process could not be prepared.", printed, ours=True)
    if process.exceeded:
        return Failure(f"The code {process.exceeded}.", printed, seconds=process.seconds)
    if process.timed_out:
        return Failure(
            f"The code was still running after {limits.seconds:g} seconds.", printed, seconds=process.seconds
        )
    if process.result is None:
        return Failure("The code returned more than a measurement may hold.", seconds=process.seconds)
    answer: Any = None
    with suppress(ValueError, RecursionError):
        answer = json.loads(process.result)
    if isinstance(answer, dict):
        borrowed = answer.pop("borrowed", False) is True
        if answer.keys() == {"data"} and process.status == 0:
            return Measurement(answer["data"], process.seconds, borrowed)
        if failure := _failure(answer, printed):
            return replace(failure, seconds=process.seconds, borrowed=borrowed)
    if process.result.strip() and process.status == 0:
        message = "The measurement cannot be read: something else was written into it."
        return Failure(message, printed, seconds=process.seconds)
    return Failure(_say_ended(process.status), printed, seconds=process.seconds)


def conclude_parts(process: ProcessExit, limits: Limits, parts: int) -> list[Outcome]:
    """The same for a process that was to measure so many parts, one after the other.

    The last outcome is that of the part that ended the process, where one did: the others were not begun.
    None at all where it cannot be told which one that was.
    """
    if parts == 1:
        return [conclude(process, limits)]
    if process.result is None:
        return []
    lines = [line for line in process.result.split("\n") if line.strip()]
    if len(lines) > parts or not process.ready:
        return [conclude(process, limits)]
    well = replace(process, status=0, timed_out=False, exceeded="")
    before, last = (lines[:-1], lines[-1]) if len(lines) == parts else (lines, "")
    return [
        *(conclude(replace(well, result=line), limits) for line in before),
        conclude(replace(process, result=last), limits),
    ]


def refusal_explained(outcome: Outcome, writes_to: str, limits: Limits) -> Outcome:
    """Code that was refused something is told by whom, most likely: by the game, and not by the system."""
    if not isinstance(outcome, Failure) or not _REFUSED.search(f"{outcome.message} {outcome.detail}"):
        return outcome
    may = f"may write to {writes_to} alone ({limits.written >> 20} MB a file), and open no Unix sockets"
    return replace(outcome, message=f"{outcome.message} While it is measured, code {may}.")


def _failure(answer: dict[str, Any], printed: str) -> Failure | None:
    if "unfit" in answer:
        reason = tidy(str(answer["unfit"]), 200)
        return Failure(f"What the code returned is not of a kind that can be measured: {reason}", printed)
    if isinstance(answer.get("raised"), dict):
        raised = {str(key): str(value) for key, value in answer["raised"].items()}
        detail = tidy(raised.get("detail", ""), DETAIL_CHARACTERS)
        if printed.strip():
            detail += f"\n\nBefore that it printed:\n{tidy(printed, _PRINTED_CHARACTERS)}"
        return Failure(_say_raised(raised), detail)
    return None


def _say_raised(raised: dict[str, str]) -> str:
    kind = tidy(raised.get("type", "an exception"), 80)
    lines = tidy(raised.get("message", ""), 300).strip().split("\n")
    if kind == "MemoryError" or "can't allocate memory" in raised.get("message", ""):
        return "The code ran out of the memory that a measurement may use."
    if kind in ("SystemExit", "KeyboardInterrupt"):
        return f"The code ended with {kind} before it could be measured."
    if kind == "OSError" and "File too large" in lines[0]:
        return "The code wrote more than a measurement may write."
    return f"The code raised {kind}: {lines[0]}" if lines[0] else f"The code raised {kind}."


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
