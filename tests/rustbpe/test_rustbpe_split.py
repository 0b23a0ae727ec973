"""Chunks are tiktoken's chunks: it splits at inference, so its word is law."""

import sys

import pytest

pytest.importorskip("rustbpe.native", reason="needs this repository's rustbpe, built with cargo")
pytest.importorskip("tiktoken")

import tiktoken
from rustbpe.patterns import chunks
from rustbpe_texts import BOUNDARY_PARTS, KNOWN, TREE, UNKNOWN, boundary_text

import rustbpe
from rustbpe import native

PATTERNS = pytest.mark.parametrize("pattern", KNOWN.values(), ids=KNOWN)


def our_split(pattern: str, text: str) -> list[bytes]:
    return [chunk.encode() for chunk in chunks(pattern, text)]


def assert_split_alike(pattern: str, texts: list[str], our_split=our_split) -> None:
    """Compare our chunks of each text with tiktoken's.

    tiktoken gives tokens, not chunks, so it gets a vocabulary of our chunks and of every two neighbours. A
    chunk of its own that is one of ours is then one token; one that is more or less is another, or several.
    """
    ours = [our_split(pattern, text) for text in texts]
    words = {bytes([byte]) for byte in range(256)}
    for split in ours:
        words.update(split)
        words.update(map(bytes.__add__, split, split[1:]))
    ranks = {word: rank for rank, word in enumerate(words)}
    encoding = tiktoken.Encoding("chunks", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    theirs = encoding.encode_ordinary_batch(texts, num_threads=2)
    for text, split, tokens in zip(texts, ours, theirs, strict=True):
        assert list(map(ranks.__getitem__, split)) == tokens, (text, split)


def test_the_comparison_sees_a_wrong_split():
    text = "ab  cd 12345's"
    right = our_split(TREE, text)
    wrong = [[*right[:at], right[at] + right[at + 1], *right[at + 2 :]] for at in range(len(right) - 1)]
    wrong += [
        [*right[:at], chunk[:1], chunk[1:], *right[at + 1 :]] for at, chunk in enumerate(right) if chunk[1:]
    ]
    for split in wrong:
        with pytest.raises(AssertionError, match="12345"):
            assert_split_alike(TREE, [text], our_split=lambda pattern, text, split=split: split)


@PATTERNS
def test_the_crate_scans_every_known_spelling_itself(pattern):
    assert native.has_scanner(pattern)


@PATTERNS
def test_examples_split_as_in_tiktoken(pattern):
    texts = [
        "",
        " ",
        "\n",
        "it's",
        "IT'S",
        "'",
        "don't 've",
        "a  b",
        "a \n b",
        "x\r\n\r\n",
        "1234567",
        "  \n  ",
    ]
    assert_split_alike(pattern, texts)


@PATTERNS
def test_every_two_parts_split_as_in_tiktoken(pattern):
    assert_split_alike(pattern, [one + other for one in BOUNDARY_PARTS for other in BOUNDARY_PARTS])


@PATTERNS
def test_random_text_splits_as_in_tiktoken(pattern, rng):
    assert_split_alike(pattern, [boundary_text(rng, 12) for _ in range(5_000)])


# Those that differ in more than spelling.
UNLIKE = ("tree", "gpt4-tiktoken", "gpt2")
UNLIKE_PATTERNS = pytest.mark.parametrize("pattern", UNLIKE)


def in_context(character: str) -> str:
    return "a{}b {}{}\x001{}2'{}\n{}\n.{}".replace("{}", character)


@UNLIKE_PATTERNS
def test_code_points_in_context_split_as_in_tiktoken(pattern):
    codes = [*range(0x3000), *range(0x3000, 0xD800, 37), *range(0xE000, sys.maxunicode + 1, 101)]
    assert_split_alike(KNOWN[pattern], [in_context(chr(code)) for code in codes])


@pytest.mark.parametrize("pattern", UNKNOWN.values(), ids=UNKNOWN)
def test_other_patterns_go_through_regex(pattern):
    assert not native.has_scanner(pattern)
    regex = pytest.importorskip("regex")
    text = "It's 12 naïve   words,\nand more."
    assert chunks(pattern, text) == [match for match in regex.findall(pattern, text) if match]
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator([text], 300, pattern=pattern)
    assert tokenizer.decode(tokenizer.encode(text)) == "".join(chunks(pattern, text))


@PATTERNS
def test_the_scanner_and_regex_agree_where_unicode_versions_do(pattern, rng):
    regex = pytest.importorskip("regex")
    compiled = regex.compile(pattern)
    parts = [part for part in BOUNDARY_PARTS if all(ord(c) < 0x250 for c in part) and "ſ" not in part]
    for _ in range(3000):
        text = "".join(rng.choices(parts, k=rng.randint(0, 12)))
        assert chunks(pattern, text) == [match.group() for match in compiled.finditer(text)], text
