"""Merges are those of the definition, and of the published package."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("rustbpe.native", reason="needs this repository's rustbpe, built with cargo")

from rustbpe.patterns import chunks
from rustbpe_texts import KNOWN, TREE, prose

import rustbpe

PUBLISHED = json.loads((Path(__file__).parent / "published_merges.json").read_text(encoding="utf-8"))


def merges_by_definition(texts: list[str], vocab_size: int, pattern: str) -> list[bytes]:
    """Training as its definition says it: all pairs counted anew for every merge."""
    counts = Counter(chunk for text in texts for chunk in chunks(pattern, text))
    words = [([bytes([byte]) for byte in chunk.encode()], count) for chunk, count in counts.items()]
    tokens = {bytes([byte]): byte for byte in range(256)}
    while len(tokens) < vocab_size:
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, count in words:
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], tokens[pair[0]], tokens[pair[1]]))
        tokens[best[0] + best[1]] = len(tokens)
        for word, _ in words:
            at = 0
            while at < len(word) - 1:
                if (word[at], word[at + 1]) == best:
                    word[at : at + 2] = [best[0] + best[1]]
                at += 1
    return list(tokens)


def trained(texts, vocab_size, pattern):
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(texts, vocab_size, pattern=pattern)
    return [token for token, _ in tokenizer.get_mergeable_ranks()]


@pytest.mark.parametrize("pattern", KNOWN.values(), ids=KNOWN)
def test_merges_of_prose_are_those_of_the_definition(rng, pattern):
    texts = [prose(rng, 150) for _ in range(4)]
    assert trained(texts, 600, pattern) == merges_by_definition(texts, 600, pattern)


@pytest.mark.parametrize("alphabet", ["a", "ab", "aaab", "ab ", "aé漢 "])
def test_merges_of_repetitions_are_those_of_the_definition(rng, alphabet):
    for _ in range(60):
        texts = ["".join(rng.choices(alphabet, k=rng.randint(0, 60))) for _ in range(rng.randint(0, 5))]
        assert trained(texts, 290, TREE) == merges_by_definition(texts, 290, TREE), texts


def test_any_text_is_trained_on_as_defined():
    hypothesis = pytest.importorskip("hypothesis", reason="draws texts with hypothesis")
    from hypothesis import strategies as st

    texts = st.lists(
        st.text(alphabet=st.one_of(st.sampled_from("ab '\n1"), st.characters(codec="utf-8")), max_size=40),
        max_size=6,
    )

    @hypothesis.given(texts, st.integers(256, 300), st.sampled_from(list(KNOWN.values())))
    @hypothesis.settings(deadline=None, max_examples=150)
    def check(texts, vocab_size, pattern):
        assert trained(texts, vocab_size, pattern) == merges_by_definition(texts, vocab_size, pattern)

    check()


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["name"])
def test_merges_are_the_published_ones(case):
    tokens = trained(case["texts"], case["vocab_size"], case["pattern"])
    assert [token.hex() for token in tokens[256:]] == case["merges"]
