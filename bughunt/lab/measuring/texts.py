"""Random text that looks enough like language: words of syllables, several scripts, awkward corners."""

from __future__ import annotations

from random import Random

_ONSETS = (
    "b",
    "br",
    "c",
    "d",
    "f",
    "g",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "ou")
_CODAS = ("", "", "n", "r", "s", "t", "l", "m", "nd", "st")
_CORNERS = ("naïve", "Ωμέγα", "日本語", "🙂", "don't", "x = 42;", "3.14", "\n\n", "\t")


def word(rng: Random) -> str:
    """One to three syllables."""
    syllables = range(rng.randint(1, 3))
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in syllables)


def sentence(rng: Random, words: int) -> str:
    """Words of one language-like vocabulary, with a corner case here and there."""
    return " ".join(rng.choice(_CORNERS) if rng.random() < 0.1 else word(rng) for _ in range(words))


def document(rng: Random, vocabulary: list[str], words: int) -> str:
    """Text over a small vocabulary, so that there is something to learn from it."""
    return " ".join(rng.choice(vocabulary) for _ in range(words)) + "."
