"""Parameters and gradients for optimizers, of a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Of a gradient's singular values; far smaller ones would be magnified, and their rounding errors with them.
SMALLEST, LARGEST = 0.3, 1.0


def generator_of(seed: int) -> Any:
    """A torch generator that begins at `seed`."""
    import torch

    return torch.Generator().manual_seed(seed)


def matrix_of(shape: Sequence[int], generator: Any) -> Any:
    """A matrix whose singular values lie between SMALLEST and LARGEST; of other tensors, all elements do."""
    import torch

    values = torch.rand(min(shape, default=1), generator=generator) * (LARGEST - SMALLEST) + SMALLEST
    if len(shape) != 2:
        return torch.rand(tuple(shape), generator=generator) * (LARGEST - SMALLEST) + SMALLEST
    one, other = (
        torch.linalg.qr(torch.randn(size, len(values), generator=generator, dtype=torch.float64))[0]
        for size in shape
    )
    return (one * values @ other.T).float()


def parameters_of(shapes: Sequence[Sequence[int]], seed: int) -> list[Any]:
    """One parameter for each shape."""
    import torch

    generator = generator_of(seed)
    return [torch.nn.Parameter(torch.randn(tuple(shape), generator=generator)) for shape in shapes]


def give_gradients(parameters: Sequence[Any], seed: int, without: Sequence[int] = ()) -> None:
    """A gradient for each parameter but those at the places `without`, which have none."""
    generator = generator_of(seed)
    for place, parameter in enumerate(parameters):
        gradient = matrix_of(parameter.shape, generator)
        parameter.grad = None if place in without else gradient


def values_of(parameters: Sequence[Any]) -> list[Any]:
    """Copies of the parameters' values, as they are now."""
    return [parameter.detach().clone() for parameter in parameters]


def moves(parameters: Sequence[Any], before: Sequence[Any], rate: float) -> list[Any]:
    """How far each parameter went since it was `before`, in units of a rate, as lists."""
    return [
        ((parameter.detach() - old) / rate).tolist()
        for parameter, old in zip(parameters, before, strict=True)
    ]
