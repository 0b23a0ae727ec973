"""A model that is watched as it reads: what it is given, with which caches, and whether gradients are on."""

from __future__ import annotations

from typing import Any
from weakref import ref


class WatchedModel:
    """Passes everything on to a model, and notes it.

    `positions` counts rows times positions that were read, in all calls together; `first_row` has the tokens
    of the first row in the order in which they were read.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._caches: list[ref[Any]] = []
        self.config = model.config
        self.positions = 0
        self.first_row: list[int] = []
        self.gradients_were_on = False

    def get_device(self) -> Any:
        return self._model.get_device()

    def forward(
        self, ids: Any, targets: None = None, kv_cache: Any = None, loss_reduction: str = "mean"
    ) -> Any:
        """The model's logits (B, T, V) for ids (B, T)."""
        import torch

        self.positions += ids.numel()
        self.first_row += ids[0].tolist()
        self.gradients_were_on |= torch.is_grad_enabled()
        if kv_cache is not None and kv_cache not in self.caches():
            self._caches.append(ref(kv_cache))
        return self._model.forward(ids, kv_cache=kv_cache)

    __call__ = forward

    def caches(self) -> list[Any]:
        """The caches that it was given and that are still held by somebody, the newest last."""
        return [cache for one in self._caches if (cache := one()) is not None]
