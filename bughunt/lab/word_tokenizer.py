"""A tokenizer whose every id the judge has chosen, for where ids are all that matters."""

from __future__ import annotations

from collections.abc import Sequence


class WordTokenizer:
    """One id a word: words are separated by spaces. It has the public methods of the tree's tokenizer."""

    def __init__(self, ids: dict[str, int], bos: int) -> None:
        self._ids = ids
        self._words = {number: word for word, number in ids.items()}
        self._bos = bos

    def get_bos_token_id(self) -> int:
        return self._bos

    def get_vocab_size(self) -> int:
        return max([self._bos, *self._words]) + 1

    def get_special_tokens(self) -> set[str]:
        return {"<|bos|>"}

    def encode_special(self, text: str) -> int:
        if text != "<|bos|>":
            raise ValueError(f"{text!r} is not a special token")
        return self._bos

    def encode(
        self,
        text: str | Sequence[str],
        prepend: str | int | None = None,
        append: str | int | None = None,
        num_threads: int = 8,
    ) -> list[int] | list[list[int]]:
        if isinstance(text, str):
            return self._row(text, prepend, append)
        return [self._row(one, prepend, append) for one in text]

    __call__ = encode

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join("<|bos|>" if one == self._bos else self._words[one] for one in ids)

    def id_to_token(self, id: int) -> str:
        return self.decode([id])

    def _row(self, text: str, prepend: str | int | None, append: str | int | None) -> list[int]:
        ids = [self._ids[word] for word in text.split()]
        first = [] if prepend is None else [self._id(prepend)]
        last = [] if append is None else [self._id(append)]
        return first + ids + last

    def _id(self, token: str | int) -> int:
        return self.encode_special(token) if isinstance(token, str) else token
