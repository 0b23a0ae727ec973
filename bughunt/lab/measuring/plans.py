"""What a row of a chat is planned to say: text, calls of the calculator, and what comes back from them.

A plan is a dictionary. Its `parts` are text, {"text": …}, followed by the end of a call that never began if
it is marked "unmatched", and calls, {"call": expression, "result": text or None}. Its `end` is the token that
ends the row. Text is one character a token, but in a result some pairs of digits have a token of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from bughunt.lab.measuring.specials import SPECIAL_TOKENS

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
    """(token's name, is it forced?) of the whole row. Forced are a result and the marks around it."""
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
            if part.get("unmatched"):
                yield "<|python_end|>", False
    yield plan["end"], False
