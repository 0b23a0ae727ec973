"""Clauses measured on one tree in a fork of this process, one after the other (POSIX only).

This process has loaded the heavy libraries, and runs neither the tree's code nor a torch operation.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from bughunt.author.tracing import trace_to
from bughunt.confine.hold import hold
from bughunt.confine.kernel import die_with_parent
from bughunt.loading import load_module
from bughunt.measure import inside
from bughunt.measure.children import ForkedChild, end_child
from bughunt.measure.environment import places_in
from bughunt.measure.outcomes import Limits

# On a busy machine the clock runs faster than the processor works: it only ends what sleeps.
_CLOCK_TO_PROCESSOR = 4.0
# Loading the tree's modules takes no longer.
_IMPORT_SECONDS = 20.0


@dataclass(frozen=True)
class Task:
    """What a fork is to do: where the tree is, where it may write, which modules to import before.

    `clauses` are pairs of a slug and its measure.py; `limits` are seconds of processor time.
    """

    tree: Path
    scratch: Path
    module: str
    clauses: Sequence[tuple[str, Path]]
    inputs: Mapping[str, Any]
    limits: Mapping[str, float]
    trace: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one step: of a clause by its slug, or of the import ("").

    `data` is what it measured; or `failed` says what happened instead.
    """

    slug: str
    data: Any = None
    failed: str = ""
    seconds: float = 0.0


def answers_in_fork(task: Task) -> Iterator[Answer]:
    """The answers in order; the last is that which ended the process. Whoever stops asking ends the fork."""
    readable, writable = os.pipe()
    child = ForkedChild(os.fork())
    if child.pid == 0:
        os.close(readable)
        _become_child(task, writable)
    os.close(writable)
    try:
        yield from _read(child, readable, task)
    finally:
        os.close(readable)
        end_child(child)


def _read(child: ForkedChild, readable: int, task: Task) -> Iterator[Answer]:
    steps = [*([""] if task.module else []), *(slug for slug, _ in task.clauses)]
    unread = b""
    for slug in steps:
        limit = task.limits[slug] if slug else _IMPORT_SECONDS
        deadline = time.monotonic() + _CLOCK_TO_PROCESSOR * limit
        while b"\n" not in unread:
            if not select.select([readable], [], [], max(0.0, deadline - time.monotonic()))[0]:
                yield Answer(slug, failed=f"took longer than {limit:.0f} seconds")
                return
            if not (more := os.read(readable, 1 << 16)):
                yield Answer(slug, failed=_how_it_ended(child, limit))
                return
            unread += more
        line, _, unread = unread.partition(b"\n")
        answer = json.loads(line)
        yield Answer(slug, answer["data"], answer["failed"], answer["seconds"])
        if not slug and answer["failed"]:
            return


def _how_it_ended(child: ForkedChild, limit: float) -> str:
    status = child.wait()
    if status in (-signal.SIGPROF, -signal.SIGXCPU):
        return f"took longer than {limit:.0f} seconds"
    return f"ended the process (status {status})"


def _become_child(task: Task, writable: int) -> NoReturn:
    try:
        _move_in(task, writable)
        if task.trace is not None:
            trace_to(task.trace, task.tree)
        with os.fdopen(3, "w", encoding="utf-8") as answers:
            for limit, step in _steps(task):
                _limit(limit)
                answers.write(_tried(step) + "\n")
                _limit(0)
                answers.flush()
    finally:
        os._exit(0)


def _steps(task: Task) -> Iterator[tuple[float, Callable[[], Any]]]:
    """What is to be done, each within so many seconds of processor time."""
    if task.module:
        yield _IMPORT_SECONDS, partial(_import, task.module)
    for slug, path in task.clauses:
        yield task.limits[slug], partial(_measure, slug, path, task.inputs[slug])


def _import(module: str) -> None:
    importlib.import_module(module)


def _measure(slug: str, path: Path, inputs: Any) -> Any:
    return load_module(str(path), f"bughunt_clause_{slug.replace('-', '_')}").measure(inputs)


def _move_in(task: Task, writable: int) -> None:
    """Makes this process one that has a session, limits and a folder of its own."""
    os.setsid()
    die_with_parent()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.dup2(writable, 3)
    os.closerange(4, 4096)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    scratch = str(task.scratch)
    seconds = _CLOCK_TO_PROCESSOR * (_IMPORT_SECONDS + sum(task.limits.values()))
    inside.take_on_limits({"limits": vars(Limits(seconds=seconds))})
    os.chdir(scratch)
    os.environ.update(places_in(scratch))
    tempfile.tempdir = None
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(task.tree))
    hold([scratch], [], [], [])
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _limit(seconds: float) -> None:
    """Has this process ended after so much processor time; 0 takes that back."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _tried(step: Callable[[], Any]) -> str:
    """What came of the step, as JSON."""
    started = time.perf_counter()
    try:
        # What cannot be written down is no data.
        said = json.dumps(step())
    except BaseException as error:
        said = json.dumps(None)
        failed = f"{type(error).__name__}: {error}"[:300]
    else:
        failed = ""
    seconds = time.perf_counter() - started
    return f'{{"data": {said}, "failed": {json.dumps(failed)}, "seconds": {seconds}}}'
