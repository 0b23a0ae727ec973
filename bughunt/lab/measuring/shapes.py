"""Shapes of small models and texts for them, drawn without torch; and the models of those shapes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from bughunt.lab.measuring.models import cache_for, make_model, randomise

Shape = dict[str, int]


def shape_of(
    heads: int, kv_heads: int, *, layers: int = 1, head_dim: int = 2, limit: int = 8, vocabulary: int = 11
) -> Shape:
    """The numbers of a `GPTConfig`; `limit` is the length that the model is made for.

    Heads of two channels have but one frequency, 1, whatever the formula for the frequencies is.
    """
    return {
        "sequence_len": limit,
        "vocab_size": vocabulary,
        "n_layer": layers,
        "n_head": heads,
        "n_kv_head": kv_heads,
        "n_embd": heads * head_dim,
    }


def draw_ids(rng: Random, shape: Shape, rows: int, length: int) -> list[list[int]]:
    """Token ids (rows, length), the first and the last id of the vocabulary among them."""
    ids = [rng.randrange(shape["vocab_size"]) for _ in range(rows * length)]
    ids[:2] = rng.sample((0, shape["vocab_size"] - 1), 2)[: len(ids)]
    rng.shuffle(ids)
    return [ids[row * length : (row + 1) * length] for row in range(rows)]


def model_of(shape: Shape, seed: int, *, loudness: float = 1.0, emptied: bool = False) -> Any:
    """The tree's GPT of the shape, for inference, with weights of the seed.

    Its logits have a standard deviation of about 1.5 times the `loudness`, before they are capped.
    """
    import torch

    model = make_model(**shape, emptied=emptied)
    randomise(model, seed)
    with torch.no_grad():
        model.lm_head.weight.mul_(loudness)
    return model


def steady(model: Any) -> Any:
    """The model, with queries and keys that are never small: their gradients grow with one over their size,
    and so would every rounding error."""
    import torch

    with torch.no_grad():
        model.transformer.wte.weight[:, 0] = 3.0
        for block in model.transformer.h:
            block.attn.c_q.weight[:, 0] = 1.0
            block.attn.c_k.weight[:, 0] = 1.0
    return model


def read_in_pieces(model: Any, ids: Any, pieces: Sequence[int], capacity: int | None = None) -> Any:
    """Logits (B, T, V) of ids (B, T) that are read through a cache, so many tokens at a time.

    The cache is made for `capacity` positions, or for all that are read.
    """
    import torch

    cache = cache_for(model, ids.size(0), capacity or ids.size(1))
    return torch.cat([model(piece, kv_cache=cache) for piece in ids.split(list(pieces), dim=1)], dim=1)
