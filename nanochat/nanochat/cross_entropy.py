"""The loss of a language model's head, without the memory of all its logits.

With a large vocabulary the float32 logits of a batch are by far the largest tensor of a training step: a
position has V of them, and only C channels. So they are computed for a chunk of positions at a time,
forward and backward.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

IGNORE_INDEX = -1
SOFTCAP = 15.0
# Positions whose logits exist at the same time.
CHUNK = 256


def softcapped_logits(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The head's logits, smoothly kept between -15 and 15: (..., C) and (V, C) to float32 (..., V)."""
    logits = F.linear(x, weight).float()  # (..., V)
    return SOFTCAP * torch.tanh(logits / SOFTCAP)


def head_cross_entropy(
    x: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """Cross-entropy of the softcapped logits of `x` (N, C) under a head's `weight` (V, C).

    `targets` (N,) are ids, or -1 for a position that does not count. The loss is a scalar for the reductions
    "mean" (over the targets that count; NaN when none does) and "sum", and (N,) with 0 where the target is -1
    for "none". Raises ValueError for any other reduction.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'loss_reduction must be "mean", "sum" or "none", not {reduction!r}')
    if reduction == "none" or not torch.is_grad_enabled():
        losses = torch.cat([_losses(x_, weight, targets_) for x_, targets_ in _chunks(x, targets)])  # (N,)
        if reduction == "none":
            return losses
        total = losses.sum()
    else:
        total = _SumOfLosses.apply(x, weight, targets)
    return total if reduction == "sum" else total / (targets != IGNORE_INDEX).sum()


def _losses(x: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logits = softcapped_logits(x, weight)  # (n, V)
    return F.cross_entropy(logits, targets, ignore_index=IGNORE_INDEX, reduction="none")  # (n,)


def _chunks(*tensors: torch.Tensor) -> Iterator[tuple[torch.Tensor, ...]]:
    return zip(*(tensor.split(CHUNK) for tensor in tensors), strict=True)


class _SumOfLosses(torch.autograd.Function):
    """Sum of the losses, chunk by chunk."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((), device=x.device)
        grad_x, grad_weight = torch.empty_like(x), torch.zeros_like(weight)  # (N, C), (V, C)
        for chunk_x, chunk_targets, chunk_grad_x in _chunks(x, targets, grad_x):
            # loss of one chunk
            with torch.enable_grad():
                inputs = chunk_x.detach().requires_grad_(), weight.detach().requires_grad_()
                loss = _losses(*inputs, chunk_targets).sum()
            # its gradients
            gradients = torch.autograd.grad(loss, inputs)  # (n, C), (V, C)
            chunk_grad_x.copy_(gradients[0])
            grad_weight.add_(gradients[1])
            total += loss.detach()
        ctx.save_for_backward(grad_x, grad_weight)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_total: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        grad_x, grad_weight = ctx.saved_tensors
        return grad_x * grad_total, grad_weight * grad_total, None
