"""A model that says what it is told: for what an engine makes of its tokens."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class ScriptedModel:
    """Wants `scripts[row][n]` as token n of each row, whatever it is given to read; after the end it wants
    the tokens `after`, over and over.

    It reads a prompt first, and from then on notes in `given` the tokens that every row was given. Nothing is
    cached.
    """

    def __init__(self, scripts: list[list[int]], vocabulary: int, after: list[int]) -> None:
        import torch

        self._torch = torch
        self._scripts = scripts
        self._vocabulary = vocabulary
        self._after = after
        self.restart()
        self.config = SimpleNamespace(
            sequence_len=256, vocab_size=vocabulary, n_layer=1, n_head=1, n_kv_head=1, n_embd=4
        )

    def restart(self) -> None:
        """What is read next is a prompt again."""
        self._read: int | None = None
        self.given: list[list[int]] = [[] for _ in self._scripts]

    def get_device(self) -> Any:
        return self._torch.device("cpu")

    def forward(
        self, ids: Any, targets: None = None, kv_cache: Any = None, loss_reduction: str = "mean"
    ) -> Any:
        """Logits (B, T, V) that leave no choice."""
        rows, length = ids.shape
        first = 1 - length if self._read is None else self._read + 1
        if self._read is not None:
            for given, row in zip(self.given, ids.tolist(), strict=False):
                given += row
        self._read = first + length - 1
        logits = self._torch.full((rows, length, self._vocabulary), -1e9)
        for row in range(rows):
            script = self._scripts[row]
            for t in range(length):
                n = max(0, first + t)
                over = n - len(script)
                logits[row, t, script[n] if over < 0 else self._after[over % len(self._after)]] = 0.0
        return logits

    __call__ = forward
