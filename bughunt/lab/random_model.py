"""Random weights for the tree's models: a freshly initialised one answers zero to everything."""

from __future__ import annotations

from typing import Any


def randomise(model: Any, seed: int, scale: float = 1.5) -> None:
    """Draws every weight of a torch module anew, normal with std `scale` / sqrt(inputs)."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, weight in sorted(model.named_parameters()):
            weight.normal_(std=scale / weight.size(-1) ** 0.5, generator=generator)


def zero(model: Any) -> None:
    """Sets every weight to zero: the start for a model whose every number is designed."""
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
