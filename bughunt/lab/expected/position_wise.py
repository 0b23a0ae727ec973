"""The tree's GPT in plain Python, forward and backward, where no position can see another.

That is so when rows are one token long, or when the attention's output projections are zero. Then the loss
and its gradients can be computed here, without torch and without the workspace, from the weights by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from bughunt.lab.measuring.weights import Matrix, Vector, Weights

LOGIT_SOFTCAP = 15.0
# What torch adds under the root of an RMS norm when it is given no epsilon: float32's.
NORM_EPSILON = 2.0**-23


def mean_loss_and_gradients(
    weights: Weights, inputs: Sequence[int], targets: Sequence[int]
) -> tuple[float, Weights]:
    """The mean cross-entropy over the positions, in nats, and its gradient for every weight.

    Positions are rows of one token. Where rows are longer and the attention's output projections are zero,
    the same holds for all weights but these projections.
    """
    gradients = {name: [[0.0] * len(matrix[0]) for _ in matrix] for name, matrix in weights.items()}
    losses = [
        _position(weights, gradients, x, y, 1.0 / len(inputs)) for x, y in zip(inputs, targets, strict=True)
    ]
    return sum(losses) / len(losses), gradients


def _position(weights: Weights, gradients: Weights, token: int, target: int, share: float) -> float:
    """The loss of one position; `share` of its gradients is added to `gradients`."""
    layers = sum(name.endswith("mlp.c_fc.weight") for name in weights)
    embedded = weights["transformer.wte.weight"][token]
    x, embedded_scale = _norm(embedded)
    first = x
    saved = []
    for layer in range(layers):
        block = f"transformer.h.{layer}"
        a, a_scale = _norm(x)
        v = _apply(weights[f"{block}.attn.c_v.weight"], a)
        x = _add(x, _apply(weights[f"{block}.attn.c_proj.weight"], v))
        m, m_scale = _norm(x)
        hidden = [max(0.0, value) for value in _apply(weights[f"{block}.mlp.c_fc.weight"], m)]
        squared = [value * value for value in hidden]
        x = _add(x, _apply(weights[f"{block}.mlp.c_proj.weight"], squared))
        saved.append((block, a, a_scale, v, m, m_scale, hidden, squared))
    last, last_scale = _norm(x)
    capped = [math.tanh(value / LOGIT_SOFTCAP) for value in _apply(weights["lm_head.weight"], last)]
    exponentials = [math.exp(LOGIT_SOFTCAP * value) for value in capped]
    total = sum(exponentials)

    dy = [share * (value / total) for value in exponentials]
    dy[target] -= share
    dy = [slope * (1.0 - value * value) for slope, value in zip(dy, capped, strict=True)]
    dx = _norm_backward(_backward(weights, gradients, "lm_head.weight", last, dy), last, last_scale)
    for block, a, a_scale, v, m, m_scale, hidden, squared in reversed(saved):
        dh = _backward(weights, gradients, f"{block}.mlp.c_proj.weight", squared, dx)
        dh = [2.0 * slope * value for slope, value in zip(dh, hidden, strict=True)]
        dm = _backward(weights, gradients, f"{block}.mlp.c_fc.weight", m, dh)
        dx = _add(dx, _norm_backward(dm, m, m_scale))
        dv = _backward(weights, gradients, f"{block}.attn.c_proj.weight", v, dx)
        da = _backward(weights, gradients, f"{block}.attn.c_v.weight", a, dv)
        dx = _add(dx, _norm_backward(da, a, a_scale))
    row = gradients["transformer.wte.weight"][token]
    row[:] = _add(row, _norm_backward(dx, first, embedded_scale))
    return math.log(total) - LOGIT_SOFTCAP * capped[target]


def _apply(matrix: Matrix, x: Vector) -> Vector:
    return [sum(map(mul, row, x)) for row in matrix]


def _add(x: Vector, y: Vector) -> Vector:
    return [a + b for a, b in zip(x, y, strict=True)]


def _norm(x: Vector) -> tuple[Vector, float]:
    scale = (sum(map(mul, x, x)) / len(x) + NORM_EPSILON) ** -0.5
    return [scale * value for value in x], scale


def _norm_backward(dy: Vector, y: Vector, scale: float) -> Vector:
    along = sum(map(mul, dy, y)) / len(y)
    return [scale * (slope - along * value) for slope, value in zip(dy, y, strict=True)]


def _backward(weights: Weights, gradients: Weights, name: str, x: Vector, dy: Vector) -> Vector:
    """Adds the weight's gradient and returns the input's."""
    dx = [0.0] * len(x)
    for row, gradient, slope in zip(weights[name], gradients[name], dy, strict=True):
        for i, value in enumerate(x):
            gradient[i] += slope * value
            dx[i] += slope * row[i]
    return dx
