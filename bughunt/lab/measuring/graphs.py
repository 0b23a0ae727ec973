"""What forward passes leave for their backward passes: how much of it is held, and by whom."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

# What leads out of an object into the rest of the program.
_PASSED_OVER = ("type", "module", "function", "builtin_function_or_method", "code", "frame", "weakref")


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


def held_after_each(model: Any, results: Iterable[Any]) -> list[int]:
    """How many numbers graphs still hold whenever one more result of a model was computed and let go.

    Nothing but the model and its caches may keep the results: they come from a generator that is asked for
    one after the other.
    """
    counts = []
    with held_for_backward(model) as held:
        for result in results:
            del result
            counts.append(held.now)
    return counts


def keeps_graph(thing: object) -> bool:
    """Whether a tensor that can be reached from the object needs gradients."""
    import torch

    seen: set[int] = set()
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or type(one).__name__ in _PASSED_OVER:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            if one.requires_grad:
                return True
        else:
            waiting += gc.get_referents(one)
    return False
