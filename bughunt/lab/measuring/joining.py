"""What a process makes of a machine that is pretended to have GPUs, and which group of processes it joins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from bughunt.lab.measuring.replacing import replaced


class Machine:
    """Its GPUs, the seed that each has got, the one that is in use, and the groups that were joined."""

    def __init__(self, gpus: int, mps: bool, joined: bool = False) -> None:
        self.mps, self.joined = mps, joined
        self.seeds: list[int | None] = [None] * gpus
        self.device = 0
        self.groups: list[tuple[str | None, int, int]] = []  # backend, rank, world size
        self.left = 0

    def joins(self, device_type: str) -> list[list[Any]]:
        """The groups, each with the backend that it has for such devices, its rank and its world size."""
        backends = {"cuda": "nccl", "cpu": "gloo"}  # torch's own choice

        def used(backend: str | None) -> str | None:
            if backend is not None and ":" in backend:
                return dict(part.split(":") for part in backend.split(",")).get(device_type)
            return backend or backends.get(device_type)

        return [[used(backend), rank, world_size] for backend, rank, world_size in self.groups]

    def of_gpu(self) -> dict[str, Any]:
        """The GPU in use, its seed, and how exactly it multiplies; by whatever calls they are set."""
        import torch

        precision = torch.get_float32_matmul_precision()
        return {"in use": self.device, "seed": self.seeds[self.device], "precision": precision}

    @contextmanager
    def pretended(self) -> Iterator[None]:
        """In the block, torch says that this is the machine. Torch's own seed and precision are put back."""
        import torch
        import torch.distributed as dist

        state, precision = torch.get_rng_state(), torch.get_float32_matmul_precision()
        cuda = {
            "is_available": lambda: bool(self.seeds),
            "device_count": lambda: len(self.seeds),
            "current_device": lambda: self.device,
            "set_device": self._use,
            "manual_seed": lambda seed: self._seed([self.device], seed),
            "manual_seed_all": lambda seed: self._seed(range(len(self.seeds)), seed),
        }
        group = {
            "is_initialized": lambda: self.joined,
            "init_process_group": self._join,
            "destroy_process_group": self._leave,
        }
        with ExitStack() as stack:
            stack.enter_context(replaced(torch.cuda, **cuda))
            stack.enter_context(replaced(torch.backends.mps, is_available=lambda: self.mps))
            stack.enter_context(replaced(dist, **group))
            torch.manual_seed(1)
            self.seeds = [None] * len(self.seeds)
            try:
                yield
            finally:
                torch.set_rng_state(state)
                torch.set_float32_matmul_precision(precision)

    def _use(self, device: Any) -> None:
        """Note the GPU, given as a number or as a device."""
        import torch

        index = device if isinstance(device, int) else torch.device(device).index
        self.device = self.device if index is None else index

    def _seed(self, gpus: Any, seed: int) -> None:
        for gpu in gpus:
            self.seeds[gpu] = int(seed)

    def _join(
        self, backend: str | None = None, *_: Any, rank: int = -1, world_size: int = -1, **__: Any
    ) -> None:
        """Note the group. What is not said is as torchrun's environment says it."""
        rank = rank if rank >= 0 else int(os.environ["RANK"])
        world_size = world_size if world_size >= 0 else int(os.environ["WORLD_SIZE"])
        self.groups.append((backend, rank, world_size))
        self.joined = True

    def _leave(self, *_: Any) -> None:
        self.joined = False
        self.left += 1
