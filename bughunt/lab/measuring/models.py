"""The tree's models and caches, small ones, and weights for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def make_model(
    *,
    sequence_len: int,
    vocab_size: int,
    n_layer: int = 1,
    n_head: int = 1,
    n_kv_head: int | None = None,
    n_embd: int,
    emptied: bool = False,
) -> Any:
    """The tree's GPT of these sizes, initialised, for inference.

    It has as many key/value heads as query heads unless told otherwise. If `emptied`, it is built on the
    device "meta" and brought to the CPU, and its memory holds nothing in particular before it is initialised.
    """
    import torch
    from nanochat.gpt import GPT, GPTConfig

    config = GPTConfig(
        sequence_len=sequence_len,
        vocab_size=vocab_size,
        n_layer=n_layer,
        n_head=n_head,
        n_kv_head=n_head if n_kv_head is None else n_kv_head,
        n_embd=n_embd,
    )
    if emptied:
        with torch.device("meta"):
            model = GPT(config)
        model.to_empty(device="cpu")
    else:
        model = GPT(config)
    model.init_weights()
    return model.eval()


def make_cache(rows: int, capacity: int, *, layers: int = 1, heads: int = 1, head_dim: int = 2) -> Any:
    """The tree's cache of keys and values, made for so many rows and positions."""
    from nanochat.engine import KVCache

    return KVCache(batch_size=rows, num_heads=heads, seq_len=capacity, head_dim=head_dim, num_layers=layers)


def cache_for(model: Any, rows: int, capacity: int) -> Any:
    """A cache that fits the model, made for so many rows and positions."""
    config = model.config
    return make_cache(
        rows,
        capacity,
        layers=config.n_layer,
        heads=config.n_kv_head,
        head_dim=config.n_embd // config.n_head,
    )


def randomise(model: Any, seed: int, scale: float = 1.5) -> None:
    """Draws every weight that a torch module learns anew, normal with std `scale` / sqrt(inputs).

    A freshly initialised GPT is blind: its head is zero, and so is all that it answers.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, weight in sorted(learnt(model)):
            weight.normal_(std=scale / weight.size(-1) ** 0.5, generator=generator)


def learnt(model: Any) -> Iterator[tuple[str, Any]]:
    """The weights that training changes, by name: not what a model may keep as a parameter all the same."""
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def zero(model: Any) -> None:
    """Sets every weight to zero: the start for a model whose every number is designed."""
    import torch

    with torch.no_grad():
        for _, weight in learnt(model):
            weight.zero_()


def load_weights(model: Any, weights: Mapping[str, Sequence[Sequence[float]]]) -> None:
    """Sets every weight to the matrix that has its name."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.tensor(weights[name]))
