"""How much of what a forward pass leaves for its backward pass is held at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Held:
    """Numbers in saved tensors: now, and when they were most."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    def add(self, count: int) -> None:
        self.now += count
        self.most = max(self.most, self.now)


@contextmanager
def held_for_backward(model: Any) -> Iterator[Held]:
    """Counts the numbers that are saved for backward passes and not let go of yet, the model's parameters,
    which are there anyhow, left out."""
    from torch.autograd.graph import saved_tensors_hooks

    held = Held()
    own = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    class Saved:
        """As long as a graph lives, this does."""

        def __init__(self, tensor: Any) -> None:
            self.tensor = tensor.detach()
            self.count = 0 if tensor.untyped_storage().data_ptr() in own else tensor.numel()
            held.add(self.count)

        def __del__(self) -> None:
            held.add(-self.count)

    with saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        yield held
