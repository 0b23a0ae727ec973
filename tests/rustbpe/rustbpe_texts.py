"""Patterns and texts that the tests of rustbpe share."""

import random

GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+"
)
TREE = GPT4.replace("{1,3}", "{1,2}")
GPT4_TIKTOKEN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
GPT4_FIRST = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
GPT2_TIKTOKEN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
GPT2_FIRST = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

KNOWN = {
    "tree": TREE,
    "gpt4": GPT4,
    "gpt4-tiktoken": GPT4_TIKTOKEN,
    "gpt4-first": GPT4_FIRST,
    "gpt2": GPT2,
    "gpt2-tiktoken": GPT2_TIKTOKEN,
    "gpt2-first": GPT2_FIRST,
}
UNKNOWN = {"words": r"\w+|[^\w\s]+|\s+", "letters only": r"\p{L}+", "nothing": ""}

# Where the rules of the patterns meet: each entry is drawn as a whole.
BOUNDARY_PARTS = [
    *(
        "'",
        "’",
        "''",
        "'s",
        "'S",
        "'ſ",
        "'t",
        "'T",
        "'m",
        "'D",
        "'re",
        "'Re",
        "'rE",
        "'ve",
        "'VE",
        "'ll",
        "'lL",
    ),
    *("'l", "'v", "'r", "'ſs", "s", "ll", "K", "ß", "ſ", "İ", "ﬆ", "e"),
    *(
        " ",
        "  ",
        "   ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\v",
        "\f",
        "\x1c",
        "\x1f",
        "\x85",
        "\xa0",
        "\u1680",
    ),
    *("\u180e", "\u2000", "\u200a", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"),
    *("0", "7", "12", "345", "²", "½", "٣", "७", "๙", "Ⅷ", "㊿", "𝟘", "𑁦"),
    *("\u0301", "\u0489", "\u0e31", "\u093f", "\u20dd", "\u200d", "\ufe0f", "𝅥"),
    *("a", "Z", "é", "ñ", "ж", "א", "ع", "ก", "漢", "字", "ᏸ", "ꟊ", "𐐷", "𠀀", "ʰ", "ª", "ǅ"),
    *(
        ".",
        ",",
        "!",
        "-",
        "_",
        "=",
        "/",
        "\\",
        "(",
        "«",
        "€",
        "😀",
        "👩‍👩‍👧",
        "\x00",
        "\x7f",
        "\ufffd",
        "\ufffe",
    ),
    *("\ud7ff", "\ue000", "\U0010ffff", "\U000e0001", "\u0378"),
]


def boundary_text(rng: random.Random, longest: int) -> str:
    """A random string of at most `longest` parts."""
    return "".join(rng.choices(BOUNDARY_PARTS, k=rng.randint(0, longest)))


def prose(rng: random.Random, words: int) -> str:
    """Something like sentences, over a vocabulary whose words are not equally frequent."""
    stems = [
        "the",
        "of",
        "token",
        "merge",
        "byte",
        "pair",
        "it's",
        "naïve",
        "Größe",
        "слово",
        "単語",
        "42",
        "2026",
    ]
    weights = [1 / (rank + 1) for rank in range(len(stems))]
    drawn = rng.choices(stems, weights, k=words)
    return "".join(word + rng.choice([" ", " ", " ", "s ", "ing ", ", ", ".\n", "\n\n"]) for word in drawn)
