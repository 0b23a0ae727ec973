"""Weights of the tree's GPT by name, as lists: drawn without torch, for the model and for who checks it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from random import Random

Vector = list[float]
Matrix = list[Vector]
Weights = dict[str, Matrix]


def weight_shapes(
    layers: int, width: int, vocabulary: int, *, kv_width: int | None = None
) -> dict[str, tuple[int, int]]:
    """Rows and columns of every weight of a GPT; its key/value heads together are `kv_width` wide, or as wide
    as its query heads."""
    rows = dict.fromkeys(("c_q", "c_k", "c_v", "c_proj"), width)
    rows["c_k"] = rows["c_v"] = width if kv_width is None else kv_width
    shapes = {"transformer.wte.weight": (vocabulary, width)}
    for layer in range(layers):
        block = f"transformer.h.{layer}"
        for name, count in rows.items():
            shapes[f"{block}.attn.{name}.weight"] = (count, width)
        shapes[f"{block}.mlp.c_fc.weight"] = (4 * width, width)
        shapes[f"{block}.mlp.c_proj.weight"] = (width, 4 * width)
    shapes["lm_head.weight"] = (vocabulary, width)
    return shapes


def shapes_of(config: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The same by the names that the tree's configuration has for the numbers."""
    kv_width = config["n_embd"] // config["n_head"] * config["n_kv_head"]
    return weight_shapes(config["n_layer"], config["n_embd"], config["vocab_size"], kv_width=kv_width)


def draw_weights(rng: Random, layers: int, width: int, vocabulary: int, *, attention: bool) -> Weights:
    """Random weights of standard deviation 0.5; without attention its output projections are zero."""

    def value(name: str) -> float:
        silent = name.endswith("attn.c_proj.weight") and not attention
        return 0.0 if silent else round(rng.gauss(0.0, 0.5), 4)

    shapes = weight_shapes(layers, width, vocabulary)
    return {
        name: [[value(name) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in shapes.items()
    }


def length(gradients: Mapping[str, Iterable[Iterable[float]] | None]) -> float:
    """The norm of all gradients together; None is a gradient that there is none of."""
    matrices = (matrix for matrix in gradients.values() if matrix is not None)
    return math.sqrt(sum(value * value for matrix in matrices for row in matrix for value in row))
