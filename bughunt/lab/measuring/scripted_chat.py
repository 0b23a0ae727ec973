"""A model that reads as the tree's does, cache and all, and says what it is told in every turn of a chat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bughunt.lab.measuring.models import make_model
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

# What it says next: one token, or any of several.
Wish = int | Sequence[int]


class ScriptedChat:
    """A new turn begins where what was read ends with `<|assistant_start|>`; after its last wish it ends.

    The model itself, of one layer and two heads that share their keys, reads everything in the cache that it
    is given; only its logits are set aside. `read` has the tokens of the first row in the order in which they
    were read.
    """

    def __init__(self, tokenizer: Any, turns: Iterable[Sequence[Wish]], sequence_len: int = 64) -> None:
        self._turns = iter(turns)
        self._start = tokenizer.encode_special("<|assistant_start|>")
        self._end = tokenizer.encode_special("<|assistant_end|>")
        self._wishes: list[Wish] = []
        self._model = make_model(
            sequence_len=sequence_len,
            vocab_size=tokenizer.get_vocab_size(),
            n_head=2,
            n_kv_head=1,
            n_embd=4,
        )
        self.config = self._model.config
        self.read: list[int] = []

    def get_device(self) -> Any:
        return self._model.get_device()

    def forward(
        self, ids: Any, targets: None = None, kv_cache: Any = None, loss_reduction: str = "mean"
    ) -> Any:
        """Logits (B, T, V) that leave no choice but that of the wish."""
        import torch

        logits = self._model.forward(ids, kv_cache=kv_cache)
        self.read += ids[0].tolist()
        if self.read[-1] == self._start:
            self._wishes = list(next(self._turns))
        wish = self._wishes.pop(0) if self._wishes else self._end
        logits = torch.full_like(logits, -1e9)
        logits[:, -1, wish] = 0.0
        return logits

    __call__ = forward


def spell(tokenizer: Any, *pieces: str) -> list[int]:
    """The tokens of pieces of text; a piece that names a special token is that token."""
    tokens: list[int] = []
    for piece in pieces:
        tokens += [tokenizer.encode_special(piece)] if piece in SPECIAL_TOKENS else tokenizer.encode(piece)
    return tokens


def byte_tokenizer(*words: str) -> Any:
    """The tree's tokenizer of bytes, with a token of its own for each of some words of two letters."""
    from nanochat.tokenizer import RustBPETokenizer

    merges = {bytes([byte]): byte for byte in range(256)}
    return RustBPETokenizer(merges | {word.encode(): 256 + number for number, word in enumerate(words)})
