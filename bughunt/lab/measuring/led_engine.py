"""The tree's engine with a real model that is led: it computes its own logits, and says what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def columns_led(model: Any, ids: Any, prompt: int) -> Iterator[tuple[Any, int]]:
    """Has an engine generate the rows of `ids` (B, T) from their first `prompt` tokens, which they share, as
    they do the one after these.

    Yields the model's logits (B, t, V) for the prompt and then for every column, and where the cache stands.
    """
    from nanochat.engine import Engine

    led = _Led(model, ids)
    options = {"num_samples": ids.size(0), "max_tokens": ids.size(1) - prompt + 1}
    for _ in Engine(led, _Tokenizer(ids.max().item() + 1)).generate(ids[0, :prompt].tolist(), **options):
        yield from led.heard
        led.heard.clear()
    yield from led.heard


class _Led:
    """Notes what the model answers, and lets nothing but the next token of each row be sampled."""

    def __init__(self, model: Any, ids: Any) -> None:
        self._model = model
        self._ids = ids
        self._read = 0
        self.config = model.config
        self.get_device = model.get_device
        self.heard: list[tuple[Any, int]] = []

    def forward(
        self, ids: Any, targets: None = None, kv_cache: Any = None, loss_reduction: str = "mean"
    ) -> Any:
        logits = self._model(ids, kv_cache=kv_cache)
        self._read += ids.size(1)
        self.heard.append((logits.expand(self._ids.size(0), -1, -1), int(kv_cache.get_pos())))
        # After the last column nothing is asked any more.
        following = self._ids[: ids.size(0), min(self._read, self._ids.size(1) - 1)]
        led = logits.new_full(logits.shape, -1e9)
        led[:, -1].scatter_(1, following[:, None], 0.0)
        return led

    __call__ = forward


class _Tokenizer:
    """One whose special tokens a model with so many tokens never says."""

    def __init__(self, tokens: int) -> None:
        self._specials: dict[str, int] = {}
        self._tokens = tokens

    def encode_special(self, text: str) -> int:
        return self._specials.setdefault(text, self._tokens + len(self._specials))

    def get_bos_token_id(self) -> int:
        return self.encode_special("<|bos|>")
