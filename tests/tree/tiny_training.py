"""A tokenizer of bytes, a few documents and a tiny model, for tests that train in milliseconds."""

from __future__ import annotations

import random
from typing import Any

import torch
from nanochat.gpt import GPT, GPTConfig
from nanochat.tokenizer import RustBPETokenizer

# Models this small are slower on two threads than on one, and much slower when the cores are busy.
torch.set_num_threads(1)

# 16 tokens a row, 4 rows a micro-batch: 64 tokens.
BASE_SETTINGS: dict[str, Any] = {
    "depth": 1,
    "n_embd": 32,
    "n_head": 2,
    "sequence_len": 16,
    "device_batch_size": 4,
    "total_batch_size": 128,
    "num_iterations": 6,
    "eval_every": 0,
    "save_every": 2,
    "eval_tokens": 128,
}


def byte_tokenizer() -> RustBPETokenizer:
    return RustBPETokenizer({bytes([byte]): byte for byte in range(256)})


def documents(seed: int = 0, count: int = 200) -> list[list[str]]:
    """Groups of two short documents of random words."""
    rng = random.Random(seed)
    vocabulary = ["the", "cat", "sat", "on", "a", "mat", "and", "ran", "far", "away"]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(5, 30))) for _ in range(2 * count)]
    return [texts[i : i + 2] for i in range(0, len(texts), 2)]


def random_model(seed: int = 0, **config: Any) -> GPT:
    """A tiny model without a zero among its weights, so that each has a gradient from the first step."""
    shape: dict[str, Any] = {
        "sequence_len": 64,
        "vocab_size": 265,
        "n_layer": 1,
        "n_head": 2,
        "n_kv_head": 2,
        "n_embd": 32,
    }
    torch.manual_seed(seed)
    model = GPT(GPTConfig(**{**shape, **config}))
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    return model
