"""Token ids are tiktoken's, and decoding gives the text back."""

import random

import pytest

pytest.importorskip("rustbpe.native", reason="needs this repository's rustbpe, built with cargo")
pytest.importorskip("tiktoken")

import tiktoken
from rustbpe_texts import KNOWN, TREE, UNKNOWN, boundary_text, prose

import rustbpe


def both(texts, vocab_size, pattern):
    """Our tokenizer, trained on texts, and a tiktoken encoding with its merges."""
    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(texts, vocab_size, pattern=pattern)
    ranks = dict(tokenizer.get_mergeable_ranks())
    return tokenizer, tiktoken.Encoding("ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


@pytest.mark.parametrize("pattern", [*KNOWN.values(), UNKNOWN["words"]], ids=[*KNOWN, "words"])
def test_ids_are_tiktokens(rng, pattern):
    texts = [prose(rng, 300) for _ in range(5)] + [boundary_text(rng, 2000) for _ in range(5)]
    for vocab_size in (256, 300, 2000):
        tokenizer, encoding = both(texts, vocab_size, pattern)
        unseen = [prose(rng, 100) + boundary_text(rng, 100) for _ in range(100)]
        assert [tokenizer.encode(text) for text in unseen] == encoding.encode_ordinary_batch(unseen)


def test_any_text_is_encoded_as_in_tiktoken(rng):
    hypothesis = pytest.importorskip("hypothesis", reason="draws texts with hypothesis")
    from hypothesis import strategies as st

    tokenizer, encoding = both([prose(rng, 1000), boundary_text(rng, 3000)], 1000, TREE)

    @hypothesis.given(st.text(alphabet=st.characters(codec="utf-8")))
    @hypothesis.settings(deadline=None, max_examples=300)
    def check(text):
        ids = tokenizer.encode(text)
        assert ids == encoding.encode_ordinary(text)
        assert tokenizer.decode(ids) == text

    check()


@pytest.mark.parametrize("length", [1, 15, 16, 127, 128, 129, 130, 1000, 30_000])
def test_a_long_chunk_is_encoded_as_in_tiktoken(rng, length):
    tokenizer, encoding = both(["abba baab aaab " * 50, "ab" * 500], 300, TREE)
    for letters in ("a", "ab", "abcé"):
        text = "".join(rng.choices(letters, k=length))
        assert tokenizer.encode(text) == encoding.encode_ordinary(text)


@pytest.mark.parametrize("pattern", [TREE, UNKNOWN["words"]])
def test_a_batch_is_encoded_like_its_texts(rng, pattern):
    texts = [prose(rng, rng.randint(0, 2000)) for _ in range(60)] + ["", "x"]
    tokenizer, _ = both(texts, 700, pattern)
    expected = [tokenizer.encode(text) for text in texts]
    for threads in (None, 1, 2, 9):
        assert tokenizer.batch_encode(texts, threads=threads) == expected
    assert tokenizer.batch_encode(tuple(texts)) == expected
    assert tokenizer.batch_encode([]) == []
    assert tokenizer.batch_encode([""]) == [[]]


def test_what_a_pattern_leaves_out_is_left_out_as_in_tiktoken(rng):
    tokenizer, encoding = both([prose(rng, 300)], 400, UNKNOWN["letters only"])
    assert tokenizer.encode("12 tokens, 3 merges!") == encoding.encode_ordinary("12 tokens, 3 merges!")
    assert tokenizer.decode(tokenizer.encode("12 tokens, 3 merges!")) == "tokensmerges"


def agree_with_tiktoken(seed, unseen):
    """Train on random prose and compare the ids of as many texts as `unseen` says."""
    rng = random.Random(seed)
    pattern = rng.choice(list(KNOWN.values()))
    texts = [prose(rng, 500) + boundary_text(rng, 500) for _ in range(50)]
    tokenizer, encoding = both(texts, rng.randint(256, 5000), pattern)
    others = [boundary_text(rng, 60) + prose(rng, 20) for _ in range(unseen)]
    assert tokenizer.batch_encode(others) == encoding.encode_ordinary_batch(others, num_threads=2)


def test_random_training_and_text_agree_with_tiktoken(new_seeds):
    for seed in new_seeds(5):
        agree_with_tiktoken(seed, 1_000)


@pytest.mark.soak
def test_much_random_training_and_text_agrees_with_tiktoken(new_seeds):
    for seed in new_seeds(20):
        agree_with_tiktoken(seed, 10_000)
