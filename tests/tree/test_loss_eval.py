"""Bits per byte, against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import tiny_training
import torch
from nanochat.loss_eval import evaluate_bpb
from nanochat.tokenizer import get_token_bytes


class Uniform:
    """A model for which every one of `vocab_size` tokens is equally likely."""

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size

    def __call__(self, ids: torch.Tensor, targets: torch.Tensor, loss_reduction: str) -> torch.Tensor:
        assert loss_reduction == "none"
        return torch.where(targets.view(-1) >= 0, math.log(self.vocab_size), 0.0)


def batch(*targets: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.zeros(len(targets), len(targets[0]), dtype=torch.int32), torch.tensor(targets)


TOKEN_BYTES = torch.tensor([1, 2, 3, 0], dtype=torch.int32)


def test_bits_over_bytes() -> None:
    # Four targets of log2(4) = 2 bits, and 1 + 2 + 3 + 1 = 7 bytes.
    assert evaluate_bpb(Uniform(4), [batch([0, 1], [2, 0])], 1, TOKEN_BYTES) == pytest.approx(8 / 7)


def test_special_tokens_and_ignored_targets_count_for_nothing() -> None:
    # Left are two targets of 2 bits, and 2 + 3 bytes.
    assert evaluate_bpb(Uniform(4), [batch([3, 1, -1], [-1, 2, 3])], 1, TOKEN_BYTES) == pytest.approx(4 / 5)


def test_only_the_first_steps_are_read() -> None:
    batches = iter([batch([0, 0]), batch([2, 2]), batch([1, 1])])
    assert evaluate_bpb(Uniform(2), batches, 2, TOKEN_BYTES) == pytest.approx(4 / 8)
    assert next(batches)[1].tolist() == [[1, 1]]


def test_batches_of_different_sizes_weigh_by_their_bytes() -> None:
    batches = [batch([0]), batch([2, 2, 2])]
    assert evaluate_bpb(Uniform(2), batches, 9, TOKEN_BYTES) == pytest.approx(4 / 10)


def test_no_text_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one target"):
        evaluate_bpb(Uniform(4), [batch([3, -1])], 1, TOKEN_BYTES)


def test_a_real_model_s_bits_are_its_loss() -> None:
    tokenizer = tiny_training.byte_tokenizer()
    model = tiny_training.random_model()
    ids = torch.tensor([tokenizer.encode("bits and bytes", prepend="<|bos|>")])
    inputs, targets = ids[:, :-1], ids[:, 1:]
    loss = model(inputs, targets).item()
    bpb = evaluate_bpb(model, [(inputs, targets)], 1, get_token_bytes(tokenizer))
    assert bpb == pytest.approx(loss / math.log(2), rel=1e-5)
