"""How large the tensors are that code makes, and that it keeps for its gradients, in elements."""

from __future__ import annotations

from typing import Any, Self
from weakref import WeakSet

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.overrides import TorchFunctionMode


class SizesMade(TorchFunctionMode):
    """Notes the `largest` number of elements in memory behind a tensor that any function of torch returns."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for one in result if isinstance(result, tuple | list) else (result,):
            if isinstance(one, torch.Tensor):
                self.largest = max(self.largest, elements_of(one))
        return result


class SizesSaved:
    """Follows the tensors that are kept for a backward pass, for as long as they are."""

    def __init__(self) -> None:
        self._kept: WeakSet[_Kept] = WeakSet()
        self._hooks = saved_tensors_hooks(self._keep, lambda kept: kept.tensor)

    def __enter__(self) -> Self:
        self._hooks.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._hooks.__exit__(*error)

    def total(self) -> int:
        """The elements of all that is kept now, each memory counted once."""
        tensors = [kept.tensor for kept in self._kept]
        return sum({tensor.untyped_storage().data_ptr(): elements_of(tensor) for tensor in tensors}.values())

    def _keep(self, tensor: torch.Tensor) -> _Kept:
        kept = _Kept(tensor)
        self._kept.add(kept)
        return kept


class _Kept:
    """What stands for a tensor in the graph, and is gone when the graph is."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


def elements_of(tensor: torch.Tensor) -> int:
    """In all the memory behind the tensor, of which it may be a part."""
    return tensor.untyped_storage().nbytes() // tensor.element_size()
