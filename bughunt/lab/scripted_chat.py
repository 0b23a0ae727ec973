"""A tokenizer of characters and a model that says what it is told: for what an engine makes of its tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

from bughunt.lab.specials import SPECIAL_TOKENS

CHARACTERS = "".join(map(chr, range(32, 127)))

# Some pairs of digits have a token of their own, so that a number is not the row of its digits.
PAIRS = tuple(f"{a}{b}" for a in range(10) for b in range(10) if (a + b) % 3 == 0)


def draw_ids(rng: Random, vocabulary: int = 200) -> dict[str, int]:
    """An id for every character, pair of digits and special token, in no order."""
    names = (*CHARACTERS, *PAIRS, *SPECIAL_TOKENS)
    return dict(zip(names, rng.sample(range(vocabulary), len(names)), strict=True))


def pieces_of(text: str) -> Iterator[str]:
    """The names of the tokens that a text is encoded to, from left to right, pairs before characters."""
    start = 0
    while start < len(text):
        size = 2 if text[start : start + 2] in PAIRS else 1
        yield text[start : start + size]
        start += size


def tokens_of(plan: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """(token's name, is it forced?) for everything that should come out of a row.

    A plan's parts are text, with a stray end of a call if so marked, and calls; after a call that has a value
    comes the value, marked as an output.
    """
    for part in plan["parts"]:
        if "call" in part:
            yield "<|python_start|>", False
            yield from ((character, False) for character in part["call"])
            yield "<|python_end|>", False
            if part["result"] is not None:
                yield "<|output_start|>", True
                yield from ((piece, True) for piece in pieces_of(part["result"]))
                yield "<|output_end|>", True
        else:
            yield from ((character, False) for character in part["text"])
            if part.get("stray"):
                yield "<|python_end|>", False
    yield plan["end"], False


class CharacterTokenizer:
    """An id for each piece of a text; it has those methods of the tree's tokenizer that inference needs."""

    def __init__(self, ids: dict[str, int]) -> None:
        self._ids = ids
        self._names = {number: name for name, number in ids.items()}

    def get_bos_token_id(self) -> int:
        return self._ids["<|bos|>"]

    def get_vocab_size(self) -> int:
        return max(self._names) + 1

    def get_special_tokens(self) -> set[str]:
        return set(SPECIAL_TOKENS)

    def encode_special(self, text: str) -> int:
        if text not in SPECIAL_TOKENS:
            raise ValueError(f"{text!r} is not a special token")
        return self._ids[text]

    def encode(
        self,
        text: str | Sequence[str],
        prepend: str | int | None = None,
        append: str | int | None = None,
        num_threads: int = 8,
    ) -> list[int] | list[list[int]]:
        if not isinstance(text, str):
            return [self._row(one, prepend, append) for one in text]
        return self._row(text, prepend, append)

    __call__ = encode

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.id_to_token(one) for one in ids)

    def id_to_token(self, id: int) -> str:
        return self._names.get(int(id), "?")

    def _row(self, text: str, prepend: str | int | None, append: str | int | None) -> list[int]:
        first = [] if prepend is None else [self._id(prepend)]
        last = [] if append is None else [self._id(append)]
        return first + [self._ids[piece] for piece in pieces_of(text)] + last

    def _id(self, token: str | int) -> int:
        return self.encode_special(token) if isinstance(token, str) else token


class ScriptedModel:
    """Wants `scripts[row][n]` as token n of each row, whatever it is given to read; `last` after the end.

    It reads a prompt first, and from then on notes in `given` the tokens that every row was given. Nothing is
    cached.
    """

    def __init__(self, scripts: list[list[int]], vocabulary: int, last: int) -> None:
        import torch

        self._torch = torch
        self._scripts = scripts
        self._vocabulary = vocabulary
        self._last = last
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

    def forward(self, ids: Any, kv_cache: Any = None) -> Any:
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
                logits[row, t, script[n] if n < len(script) else self._last] = 0.0
        return logits

    __call__ = forward
