"""The ids that the tree's tokenizer gives to texts, by its trainer alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import rustbpe

# How the tree splits a text before it merges.
SPLIT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)


def plain_ids(texts: Iterable[str], corpus: Iterable[str], merges: int) -> dict[str, list[int]]:
    """The ids of texts, by a tokenizer with so many merges that were learnt from a corpus."""
    texts = tuple(texts)
    return dict(zip(texts, map(list, _learnt(texts, tuple(corpus), merges)[0]), strict=True))


def special_ids(specials: Iterable[str], corpus: Iterable[str], merges: int) -> dict[str, int]:
    """Special tokens come after all others, in their order."""
    _, first = _learnt((), tuple(corpus), merges)
    return {token: first + index for index, token in enumerate(specials)}


@lru_cache(maxsize=8)
def _learnt(texts: tuple[str, ...], corpus: tuple[str, ...], merges: int) -> tuple[list[list[int]], int]:
    """The ids of texts, and how many tokens there are. No tokenizer is kept: it would outlive its library."""
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(iter(corpus), 256 + merges, pattern=SPLIT_PATTERN)
    return [list(tokenizer.encode(text)) for text in texts], len(tokenizer.get_mergeable_ranks())
