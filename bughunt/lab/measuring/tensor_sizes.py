"""How large the tensors are that code makes, in elements of the memory behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def largest_made() -> Iterator[Callable[[], int]]:
    """What it gives tells how large the largest tensor is that any function of torch has returned so far."""
    import torch
    from torch.overrides import TorchFunctionMode

    largest = 0

    class Made(TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal largest
            result = function(*args, **(kwargs or {}))
            for one in result if isinstance(result, tuple | list) else (result,):
                if isinstance(one, torch.Tensor):
                    largest = max(largest, elements_of(one))
            return result

    with Made():
        yield lambda: largest


def elements_of(tensor: Any) -> int:
    """In all the memory behind the tensor, of which it may be a part."""
    elements: int = tensor.untyped_storage().nbytes() // tensor.element_size()
    return elements
