"""Choosing the next token from a model's logits."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def sample_next_token(
    logits: torch.Tensor, generator: torch.Generator, temperature: float = 1.0, top_k: int | None = None
) -> torch.Tensor:
    """Draw one token for each row of `logits` (B, V): ids of shape (B, 1).

    A temperature of 0 takes the likeliest token. `top_k` keeps the k likeliest (all when k is V or more).
    """
    assert temperature >= 0.0, f"temperature must not be negative, it is {temperature}"
    assert top_k is None or top_k > 0, f"top_k must be positive or None, it is {top_k}"
    # greedy
    if temperature == 0.0:
        return logits.argmax(dim=-1, keepdim=True)  # (B, 1)
    # from all tokens
    if top_k is None or top_k >= logits.size(-1):
        return torch.multinomial(F.softmax(logits / temperature, dim=-1), 1, generator=generator)
    # from the top k
    likeliest, ids = logits.topk(top_k, dim=-1)  # (B, k) each
    choice = torch.multinomial(F.softmax(likeliest / temperature, dim=-1), 1, generator=generator)  # (B, 1)
    return ids.gather(1, choice)  # (B, 1)
