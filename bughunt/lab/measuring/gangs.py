"""Processes that train together for real: forked, and in a group of torch's."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

# Seconds; a process whose partner is gone ends by itself after so many.
PATIENCE = 10


def together(world_size: int, work: Callable[[int], Any]) -> list[Any] | None:
    """What `work` returns for each rank, called in processes of a gloo group; plain data.

    They have torchrun's environment.
    None where processes cannot be forked. Raises RuntimeError with the error of the first that failed.
    """
    if not hasattr(os, "fork"):
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started = [_start(rank, world_size, Path(folder) / "store", work) for rank in range(world_size)]
        said = []
        for pid, reading in started:
            with os.fdopen(reading, "rb") as pipe:
                said.append(pipe.read())
            os.waitpid(pid, 0)
    answers = [json.loads(one or b'{"error": "a process ended without a word"}') for one in said]
    for answer in answers:
        if "error" in answer:
            raise RuntimeError(answer["error"])
    return [answer["result"] for answer in answers]


def _start(rank: int, world_size: int, store: Path, work: Callable[[int], Any]) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        try:
            answer = {"result": _in_a_group(rank, world_size, store, work)}
        except BaseException:
            answer = {"error": traceback.format_exc()[-1000:]}
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(answer).encode())
        sys.stdout.flush()
    finally:
        os._exit(0)


def _in_a_group(rank: int, world_size: int, store: Path, work: Callable[[int], Any]) -> Any:
    import torch.distributed as dist

    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size))
    dist.init_process_group(
        "gloo",
        init_method=store.as_uri(),
        rank=rank,
        world_size=world_size,
        timeout=timedelta(seconds=PATIENCE),
    )
    result = work(rank)
    dist.barrier()
    return result
