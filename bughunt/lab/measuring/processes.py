"""What a process sees that trains together with others, in a process that is alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bughunt.lab.measuring.replacing import environment, replaced


@contextmanager
def first_of(world_size: int) -> Iterator[None]:
    """`torch.distributed` and torchrun's environment say that this process is the first of so many.

    The others are imagined to hold what this one holds, so that a sum over all is a multiple of its own part,
    a mean is that part, and what is gathered are copies of it. Nothing is communicated. With one process
    nothing is changed.
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
        "barrier": lambda *_, **__: _Done(),
        "broadcast": lambda *_, **__: _Done(),
        "all_reduce": lambda tensor, op=dist.ReduceOp.SUM, *_, **__: _reduce(tensor, tensor, op, world_size),
        "reduce_scatter": lambda output, inputs, op=dist.ReduceOp.SUM, *_, **__: _reduce(
            output, inputs[0], op, world_size
        ),
        "reduce_scatter_tensor": lambda output, input, op=dist.ReduceOp.SUM, *_, **__: _reduce(
            output, input.reshape(world_size, *output.shape)[0], op, world_size
        ),
        "all_gather": lambda outputs, tensor, *_, **__: _gather(outputs, tensor),
        "all_gather_into_tensor": lambda output, input, *_, **__: _gather(
            output.view(world_size, *input.shape), input
        ),
        "reduce": lambda tensor, dst=0, op=dist.ReduceOp.SUM, *_, **__: _reduce(
            tensor, tensor, op, world_size
        ),
        "gather": lambda tensor, gather_list=None, *_, **__: _gather(gather_list or [], tensor),
        "all_gather_object": lambda object_list, obj, *_, **__: _copy_object(object_list, obj),
        "gather_object": lambda obj, object_gather_list=None, *_, **__: _copy_object(object_gather_list, obj),
        "broadcast_object_list": lambda *_, **__: None,
    }
    variables = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": str(world_size)}
    with replaced(dist, **answers), environment(**variables):
        yield


class _Done:
    """What an operation returns that need not be waited for, and may be."""

    def wait(self, *_: object) -> bool:
        return True

    def is_completed(self) -> bool:
        return True


def _reduce(output: Any, part: Any, op: Any, world_size: int) -> _Done:
    import torch
    import torch.distributed as dist

    with torch.no_grad():
        output.copy_(part * world_size if op == dist.ReduceOp.SUM else part)
    return _Done()


def _gather(outputs: Any, part: Any) -> _Done:
    import torch

    with torch.no_grad():
        part = part.clone()  # it may be a part of what is filled
        for output in outputs:
            output.copy_(part)
    return _Done()


def _copy_object(outputs: list[Any] | None, own: Any) -> None:
    if outputs is not None:
        outputs[:] = [copy.deepcopy(own) for _ in outputs]
