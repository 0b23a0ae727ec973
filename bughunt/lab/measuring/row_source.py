"""Training batches that are known by where they come from, in place of the tree's loaders."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

VOCABULARY = 32


class RowSource:
    """Makes the two loaders of the tree, and notes what was asked for of those that were read from.

    Row `i` of a stripe depends on the source's seed, the split, the stripe, the number of stripes and `i`
    alone: however a step is split into batches, it has the same rows. A stripe has `length` rows, None for
    no end.
    """

    def __init__(self, seed: int, length: int | None = None) -> None:
        self.seed = seed
        self.length = length
        self.asked: set[tuple[Any, ...]] = set()

    @property
    def devices(self) -> list[str]:
        """The kinds of devices that batches were asked for on."""
        return sorted({str(device).split(":")[0] for *_, device, _ in self.asked})

    def documents(
        self,
        B: int,
        T: int,
        split: str,
        tokenizer_threads: int = 4,
        tokenizer_batch_size: int = 128,
        device: Any = "cpu",
        *,
        documents: Any = None,
        tokenizer: Any = None,
        rank: int | None = None,
        world_size: int | None = None,
        skip_batches: int = 0,
    ) -> Iterator[Any]:
        """In place of `tokenizing_distributed_data_loader`."""
        what = None if documents is None else list(documents)[:1]
        asked = split, str(what), B, T, str(device), getattr(tokenizer, "enc", None) is not None
        return self._batches(asked, f"{split} {rank} {world_size}", B, skip_batches, lambda _: T)

    def conversations(
        self,
        dataset: Any,
        tokenizer: Any,
        batch_size: int,
        device: Any = "cpu",
        *,
        rank: int | None = None,
        world_size: int | None = None,
        skip_batches: int = 0,
    ) -> Iterator[Any]:
        """In place of `sft_data_generator`. Batches differ in length, and rows in how much is trained."""
        asked = str(dataset[0]), batch_size, str(device), getattr(tokenizer, "enc", None) is not None
        stripe = f"{dataset[0]} {rank} {world_size}"
        return self._batches(
            asked, stripe, batch_size, skip_batches, lambda number: 3 + number % 3, gaps=True
        )

    def _batches(
        self,
        asked: tuple[Any, ...],
        stripe: str,
        B: int,
        skip_batches: int,
        length_of: Any,
        *,
        gaps: bool = False,
    ) -> Iterator[Any]:
        import torch

        self.asked.add(asked)
        for number in count(skip_batches):
            if self.length is not None and (number + 1) * B > self.length:
                return
            T = length_of(number)
            rows = []
            for row in range(number * B, number * B + B):
                rng = Random(f"{self.seed} {stripe} {row}")
                rows.append(rng.choices(range(VOCABULARY), k=2 * T))
            inputs, targets = torch.tensor(rows).split(T, dim=1)
            targets = targets.clone()
            if gaps:  # an even number of targets in every row
                targets[:, : T - 2] = -1
                targets[::3, 0] = targets[::3, T - 3] = inputs[::3, 0]
            yield inputs.int() if not gaps else inputs.clone(), targets
