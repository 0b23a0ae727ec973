"""What a process sees that trains together with others, in a process that is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def first_of(world_size: int) -> Iterator[None]:
    """`torch.distributed` and torchrun's environment say that this process is the first of so many.

    The others are imagined to hold what this one holds, so that a sum over all is a multiple of its own part
    and a mean is that part. Nothing is communicated. With one process nothing is changed.
    """
    if world_size == 1:
        yield
        return
    import torch.distributed as dist

    answers: dict[str, Any] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "get_world_size": lambda *_, **__: world_size,
        "get_rank": lambda *_, **__: 0,
        "get_backend": lambda *_, **__: "gloo",
        "barrier": lambda *_, **__: None,
        "broadcast": lambda *_, **__: None,
        "all_reduce": lambda tensor, op=dist.ReduceOp.SUM, *_, **__: _all_reduce(tensor, op, world_size),
    }
    environment = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": str(world_size)}
    saved = {name: getattr(dist, name) for name in answers}
    saved_environment = {name: os.environ.get(name) for name in environment}
    try:
        for name, answer in answers.items():
            setattr(dist, name, answer)
        os.environ.update(environment)
        yield
    finally:
        for name, function in saved.items():
            setattr(dist, name, function)
        for name, value in saved_environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _all_reduce(tensor: Any, op: Any, world_size: int) -> None:
    import torch
    import torch.distributed as dist

    if op == dist.ReduceOp.SUM:
        with torch.no_grad():
            tensor.mul_(world_size)
