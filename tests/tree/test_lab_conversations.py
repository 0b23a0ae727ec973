"""The judge's own rendering of conversations is what the tree's tokenizer makes of them."""

from __future__ import annotations

from random import Random

import pytest
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

from bughunt.lab.measuring import conversations


@pytest.mark.parametrize("seed", range(20))
def test_the_tokenizer_renders_what_the_judge_renders(seed: int) -> None:
    rng = Random(seed)
    vocabulary = conversations.draw_vocabulary(rng)
    tokenizer = RustBPETokenizer(
        {
            token.encode("latin-1" if len(token) == 1 else "utf-8"): number
            for number, token in enumerate(vocabulary)
            if token not in SPECIAL_TOKENS
        }
    )
    for turns in range(1, 6):
        conversation = conversations.draw_conversation(rng, vocabulary, turns)
        assert tokenizer.render_conversation(conversation) == conversations.render(conversation, vocabulary)
