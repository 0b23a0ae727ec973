"""Splitting by patterns that the crate has no scanner for, through the `regex` module.

Slower by an order of magnitude or two, and one caution: `regex` has a Unicode version of its own, so that
letters added to Unicode lately may be letters here and none to tiktoken, or the other way round.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

from rustbpe import native

Split = Callable[[str], Iterator[str]]


@lru_cache(maxsize=16)
def splitter(pattern: str) -> Split | None:
    """A function that yields the chunks of a text, or None where the crate's scanner knows the pattern.

    Text that the pattern does not match is left out, as in tiktoken. Raises ValueError for a pattern that is
    not valid.
    """
    if native.has_scanner(pattern):
        return None
    import regex

    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"Invalid regex pattern: {error}") from None

    def split(text: str) -> Iterator[str]:
        return (chunk for match in compiled.finditer(text) if (chunk := match.group()))

    return split


def chunks(pattern: str, text: str) -> list[str]:
    """The chunks that training and encoding see of a text."""
    split = splitter(pattern)
    if split is not None:
        return list(split(text))
    encoded = text.encode()
    bounds = [0, *native.split(pattern, encoded)]
    return [encoded[start:end].decode() for start, end in pairwise(bounds)]
