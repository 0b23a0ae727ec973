"""How much a model computes: rows of its layers, never the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def rows_computed(model: Any) -> Iterator[Callable[[], int]]:
    """While it lasts, counts what each embedding and each linear layer of a model is given: vectors or ids.

    What it gives tells how many the layer had that had most.
    """
    import torch

    counts: dict[str, int] = {}

    def count(name: str, width: int) -> Callable[..., None]:
        def note(_: Any, arguments: tuple[Any, ...]) -> None:
            counts[name] = counts.get(name, 0) + (arguments[0].numel() // width if arguments else 0)

        return note

    hooks = []
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Embedding):
            hooks.append(module.register_forward_pre_hook(count(name, 1)))
        elif isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_pre_hook(count(name, module.in_features)))
    try:
        yield lambda: max(counts.values(), default=0)
    finally:
        for hook in hooks:
            hook.remove()
