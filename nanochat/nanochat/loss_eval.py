"""Bits per byte: a validation loss that does not depend on the tokenizer.

The mean loss per token is not comparable between tokenizers: longer tokens are harder to predict, and there
are fewer of them. Dividing the summed loss by the bytes of text that the targets stand for is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.distributed as dist

from nanochat.gpt import GPT

Batch = tuple[torch.Tensor, torch.Tensor]


@torch.no_grad()
def evaluate_bpb(model: GPT, batches: Iterable[Batch], steps: int, token_bytes: torch.Tensor) -> float:
    """Bits per byte of `model` on the first `steps` of `batches` (fewer if they end earlier).

    `batches` yields ids and targets, both (B, T). `token_bytes` (V,) has each token's length in bytes;
    targets of no bytes (special tokens) and targets below 0 (ignored) count neither in the bits nor in the
    bytes. Under torchrun the sums are taken over all ranks, so every rank must call this. Raises ValueError
    if no target counted.
    """
    nats = num_bytes = 0.0
    for _, (ids, targets) in zip(range(steps), batches, strict=False):
        losses = model(ids, targets, loss_reduction="none").view(-1)  # (B*T,)
        targets = targets.view(-1)
        lengths = torch.where(targets >= 0, token_bytes[targets.clamp(min=0)], 0)  # (B*T,)
        nats += losses[lengths > 0].sum().item()
        num_bytes += lengths.sum().item()
    if dist.is_available() and dist.is_initialized():
        sums = torch.tensor([nats, num_bytes], dtype=torch.float64, device=token_bytes.device)
        dist.all_reduce(sums)
        nats, num_bytes = sums.tolist()
    if num_bytes == 0:
        raise ValueError("bits per byte need at least one target that stands for text")
    return nats / (math.log(2) * num_bytes)
