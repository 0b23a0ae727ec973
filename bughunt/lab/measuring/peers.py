"""One process of several of which the others hold something else than it does, without any others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bughunt.lab.measuring.processes import first_of
from bughunt.lab.measuring.replacing import replaced

# What the others hold together, as a multiple of what this process holds: a mean over two is 0.75 of it.
OTHERS = 0.5


@contextmanager
def one_of(world_size: int, rank: int, told: float = 0.0) -> Iterator[list[float]]:
    """This process is `rank` of so many, each on a machine of its own. A sum over all is 1.5 times its part.

    What the first process broadcasts is noted in the list given; to another one the first says `told`.
    """
    import torch
    import torch.distributed as dist

    said: list[float] = []

    def all_reduce(tensor: Any, op: Any = dist.ReduceOp.SUM, *_: object, **__: object) -> None:
        with torch.no_grad():
            share = 1 + OTHERS if op == dist.ReduceOp.SUM else (1 + OTHERS) / world_size
            tensor.copy_(tensor * share)

    def broadcast(tensor: Any, src: int = 0, *_: object, **__: object) -> None:
        if src != 0:
            return
        if rank == 0:
            said.extend(float(value) for value in tensor.flatten())
        else:
            tensor.fill_(told)

    with first_of(world_size):
        ranks = {"get_rank": lambda *_, **__: rank, "all_reduce": all_reduce, "broadcast": broadcast}
        os.environ["RANK"] = str(rank)
        with replaced(dist, **ranks):
            yield said
