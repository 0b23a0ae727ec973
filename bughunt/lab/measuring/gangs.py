"""Processes that train together for real: forked, and in a group of torch's."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

# Seconds; a process that waits for its partner so long ends by itself, and so many later all are ended.
PATIENCE = 10


def together(world_size: int, work: Callable[[int], Any]) -> list[Any] | None:
    """What `work` returns for each rank, called in processes of a gloo group; plain data.

    They have torchrun's environment, as on a machine each. What they change stays theirs, and they are gone
    when this returns. None where processes cannot be forked. Raises RuntimeError with the error of the first
    that failed.
    """
    if not hasattr(os, "fork"):
        return None
    sys.stdout.flush()  # or else each would print what is waiting
    started: dict[int, int] = {}  # processes by what they are read from
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            for rank in range(world_size):
                reading, pid = _start(rank, world_size, Path(folder) / "store", work)
                started[reading] = pid
            answers = _answers(list(started))
        finally:
            for reading, pid in started.items():
                os.close(reading)
                os.kill(pid, signal.SIGKILL)  # one that has ended waits for `waitpid`, and does not mind
                os.waitpid(pid, 0)
    return answers


def _start(rank: int, world_size: int, store: Path, work: Callable[[int], Any]) -> tuple[int, int]:
    """The end of a pipe, to read what the new process says before it ends; and its id."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return reading, pid
    try:
        os.close(reading)
        try:
            answer = {"result": _in_a_group(rank, world_size, store, work)}
        except BaseException as error:
            answer = {"error": traceback.format_exception_only(error)[-1], "from": traceback.format_exc()}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        sys.stdout.flush()
    finally:
        os._exit(0)


def _answers(pipes: list[int]) -> list[Any]:
    """What was said in each pipe, read until all are closed, one says an error, or it takes too long."""
    said = dict.fromkeys(pipes, b"")
    waiting, end = set(pipes), time.monotonic() + 2 * PATIENCE
    while waiting:
        ready, _, _ = select.select(list(waiting), [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise RuntimeError("a process of several took too long")
        for pipe in ready:
            part = os.read(pipe, 1 << 16)
            said[pipe] += part
            if not part:
                waiting.remove(pipe)
                _raise_error(json.loads(said[pipe] or b'{"error": "it ended without a word"}'))
    return [json.loads(said[pipe])["result"] for pipe in pipes]


def _raise_error(answer: dict[str, Any]) -> None:
    if "error" in answer:
        error = RuntimeError(f"one of several processes: {answer['error'].strip()}")
        error.add_note(answer.get("from", ""))
        raise error


def _in_a_group(rank: int, world_size: int, store: Path, work: Callable[[int], Any]) -> Any:
    import torch.distributed as dist

    os.environ.update(RANK=str(rank), LOCAL_RANK="0", WORLD_SIZE=str(world_size))
    dist.init_process_group(
        "gloo",
        init_method=store.as_uri(),
        rank=rank,
        world_size=world_size,
        timeout=timedelta(seconds=PATIENCE),
    )
    result = work(rank)
    if dist.is_initialized():  # a script may have left it
        dist.barrier()
    return result
