"""Bits per byte: a validation loss that does not depend on the tokenizer.

The mean loss per token is not comparable between tokenizers: longer tokens are harder to predict, and there
are fewer of them.
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
    """Bits per byte over `steps` batches, all ranks. Fewer if they end earlier; every rank must call this.

    `batches` yields ids and targets, both (B, T). `token_bytes` (V,) has each token's length in bytes. Raises
    ValueError if no target counted.
    """
    nats = num_bytes = 0.0
    for _, (ids, targets) in zip(range(steps), batches, strict=False):
        losses = model(ids, targets, loss_reduction="none").view(-1)  # (B*T,)
        targets = targets.view(-1)  # (B*T,)
        lengths = torch.where(targets >= 0, token_bytes[targets.clamp(min=0)], 0)  # (B*T,)
        # add up
        nats += losses[lengths > 0].sum().item()
        num_bytes += lengths.sum().item()
    # over all ranks
    if dist.is_available() and dist.is_initialized():
        sums = torch.tensor([nats, num_bytes], dtype=torch.float64, device=token_bytes.device)
        dist.all_reduce(sums)
        nats, num_bytes = sums.tolist()
    if num_bytes == 0:
        raise ValueError("bits per byte need at least one target that stands for text")
    # nats to bits
    return nats / (math.log(2) * num_bytes)
