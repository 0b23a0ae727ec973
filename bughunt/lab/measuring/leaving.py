"""Whether one of several processes leaves the others when its script ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bughunt.lab.measuring.base_folder import base_folder
from bughunt.lab.measuring.ranks import one_of
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import replaced


def left_its_group(main: Callable[[Sequence[str]], Any], flags: Sequence[str]) -> tuple[str | None, int]:
    """How a script of the tree ends, in one process of two and with an empty base folder: the kind of error
    (None for none), and how often it left the group of processes."""
    import torch.distributed as dist

    left: list[int] = []
    with base_folder(), one_of(2, 0), replaced(dist, destroy_process_group=lambda *_: left.append(1)):
        return refusal(main, flags), len(left)
