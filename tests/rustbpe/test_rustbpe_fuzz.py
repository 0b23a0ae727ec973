"""Random text, other at every run, is split and encoded as by tiktoken; the soak takes a million of them."""

import pytest

pytest.importorskip("rustbpe.native", reason="needs this repository's rustbpe, built with cargo")
pytest.importorskip("tiktoken")

from fuzz_rustbpe import compare_every_code_point, fuzz_round


def test_random_texts(new_seeds):
    for seed in new_seeds(5):
        fuzz_round(seed, 2_000)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(10))
def test_a_million_random_texts(new_seeds, part):
    for seed in new_seeds(10):
        fuzz_round(seed, 10_000)


@pytest.mark.soak
def test_every_code_point_in_every_context():
    compare_every_code_point()
