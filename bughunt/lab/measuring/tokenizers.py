"""Tokenizers whose every id the inputs give, for where ids are all that matters.

They have the public methods of the tree's tokenizer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from bughunt.lab.measuring.plans import pieces_of
from bughunt.lab.measuring.specials import SPECIAL_TOKENS


class _StandIn(ABC):
    """An id for each piece of a text; `joint` stands between the pieces."""

    joint = ""

    def __init__(self, ids: Mapping[str, int], specials: Sequence[str]) -> None:
        """`ids` are those of the pieces and of the special tokens."""
        self._ids = dict(ids)
        self._specials = specials
        self._names = {number: name for name, number in self._ids.items()}

    @abstractmethod
    def _pieces(self, text: str) -> Iterable[str]:
        """The names of the tokens of a text."""

    def get_bos_token_id(self) -> int:
        return self._ids["<|bos|>"]

    def get_vocab_size(self) -> int:
        return max(self._names) + 1

    def get_special_tokens(self) -> set[str]:
        return set(self._specials)

    def encode_special(self, text: str) -> int:
        if text not in self._specials:
            raise ValueError(f"{text!r} is not a special token")
        return self._ids[text]

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
        return self.joint.join(self.id_to_token(one) for one in ids)

    def id_to_token(self, id: int) -> str:
        return self._names[int(id)]

    def _row(self, text: str, prepend: str | int | None, append: str | int | None) -> list[int]:
        first = [] if prepend is None else [self._id(prepend)]
        last = [] if append is None else [self._id(append)]
        return first + [self._ids[piece] for piece in self._pieces(text)] + last

    def _id(self, token: str | int) -> int:
        return self.encode_special(token) if isinstance(token, str) else token


class WordTokenizer(_StandIn):
    """An id for each word; words are separated by spaces. The only special token is `<|bos|>`."""

    joint = " "

    def __init__(self, ids: Mapping[str, int], bos: int) -> None:
        super().__init__({**ids, "<|bos|>": bos}, ("<|bos|>",))

    def _pieces(self, text: str) -> Iterable[str]:
        return text.split()


class CharacterTokenizer(_StandIn):
    """An id for each character and for some pairs of digits; all special tokens of a chat."""

    def __init__(self, ids: Mapping[str, int]) -> None:
        super().__init__(ids, SPECIAL_TOKENS)

    def _pieces(self, text: str) -> Iterable[str]:
        return pieces_of(text)

    def id_to_token(self, id: int) -> str:
        """An engine may be given ids that no token has; they must not stop it."""
        return self._names.get(int(id), "?")
