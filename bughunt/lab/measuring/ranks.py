"""What any of several processes sees, in a process that is alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bughunt.lab.measuring.processes import first_of
from bughunt.lab.measuring.replacing import environment, replaced


@contextmanager
def one_of(world_size: int, rank: int) -> Iterator[None]:
    """As `first_of`, but this process is the one of this rank; leaving the others is no error either."""
    import torch.distributed as dist

    with first_of(world_size):
        if world_size == 1:
            yield
            return
        own = {"get_rank": lambda *_, **__: rank, "destroy_process_group": lambda *_, **__: None}
        with replaced(dist, **own), environment(RANK=str(rank), LOCAL_RANK=str(rank)):
            yield
