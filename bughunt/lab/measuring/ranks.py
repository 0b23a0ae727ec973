"""What any of several processes sees, in a process that is alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bughunt.lab.measuring.processes import first_of


@contextmanager
def one_of(world_size: int, rank: int) -> Iterator[None]:
    """As `first_of`, but this process is the one of this rank; leaving the others is no error either."""
    import torch.distributed as dist

    leave = dist.destroy_process_group
    with first_of(world_size):
        if world_size > 1:
            # what is set here is set back by `first_of`
            dist.get_rank = lambda *_, **__: rank
            os.environ.update({"RANK": str(rank), "LOCAL_RANK": str(rank)})
            dist.destroy_process_group = lambda *_, **__: None
        try:
            yield
        finally:
            dist.destroy_process_group = leave
