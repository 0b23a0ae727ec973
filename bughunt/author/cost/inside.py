"""Questions about a run that no script of the tree answers. Runs in a tree, and imports nothing but the tree.

    python inside.py QUESTION '{"argument": value}'

answers in a line of JSON, about the models in the folder that NANOCHAT_BASE_DIR names.
"""

from __future__ import annotations

import json
import math
import sys
from itertools import islice, pairwise
from typing import Any


def _load(name: str) -> tuple[Any, Any]:
    from nanochat.chat import load_engine
    from nanochat.common import get_base_dir

    engine, _ = load_engine(get_base_dir() / name)
    return engine.model, engine.tokenizer


def _documents() -> list[str]:
    from nanochat.dataset import document_groups

    return [text for group in document_groups("val") for text in group]


def recipe() -> dict[str, str]:
    """The flags of each stage of the speedrun."""
    from scripts.speedrun import RECIPES

    return dict(RECIPES["minutes"])


def opening_bits(tokens: int, documents: int) -> float:
    """Bits per byte of the first `tokens` tokens of held-out documents, which begin with <|bos|>."""
    import torch

    model, tokenizer = _load("base")
    bos = tokenizer.get_bos_token_id()
    rows = [
        [bos, *ids[:tokens]]
        for ids in islice((tokenizer.encode(text) for text in _documents()), documents)
        if len(ids) >= tokens
    ]
    num_bytes = sum(len(tokenizer.enc.decode_bytes(row[1:])) for row in rows)
    ids = torch.tensor(rows)
    with torch.no_grad():
        nats = sum(model(batch[:, :-1], batch[:, 1:], loss_reduction="sum").item() for batch in ids.split(64))
    return float(nats / (math.log(2) * num_bytes))


def bits_by_position(length: int, rows: int, edges: list[int]) -> list[float]:
    """Bits per token of held-out text in rows of `length` tokens, the mean between positions of `edges`."""
    import torch

    model, tokenizer = _load("base")
    bos = tokenizer.get_bos_token_id()
    stream: list[int] = []
    for text in _documents():
        stream += [bos, *tokenizer.encode(text)]
        if len(stream) > rows * length:
            break
    ids = torch.tensor(stream[: rows * length + 1])
    inputs, targets = ids[:-1].view(rows, length), ids[1:].view(rows, length)
    with torch.no_grad():
        losses = torch.stack(
            [
                model(row[None], target[None], loss_reduction="none").view(-1)
                for row, target in zip(inputs, targets, strict=True)
            ]
        )
    by_position = losses.mean(dim=0) / math.log(2)
    return [by_position[start:end].mean().item() for start, end in pairwise(edges)]


def slowest_turn() -> float:
    """After how many positions the rotary angle of the slowest channel pair is whole again."""
    import torch

    model, _ = _load("base")
    angles = torch.atan2(model.sin[0, 1, 0].double(), model.cos[0, 1, 0].double())
    return float(2 * math.pi / angles.abs().min())


def input_bytes(rows: int, length: int) -> int:
    """The bytes of a batch's inputs."""
    from nanochat.dataloader import tokenizing_distributed_data_loader

    inputs, _ = next(tokenizing_distributed_data_loader(rows, length, "train"))
    return int(inputs.nbytes)


def cache_bytes(tokens: int, turn: int) -> dict[str, Any]:
    """The memory of a conversation's cache after each turn of `turn` tokens, and after the end."""
    import torch
    from nanochat.engine import KVCache

    model, tokenizer = _load("sft")
    config = model.config
    cache = KVCache(
        batch_size=1,
        num_heads=config.n_kv_head,
        seq_len=config.sequence_len,
        head_dim=config.n_embd // config.n_head,
        num_layers=config.n_layer,
    )

    def held() -> int:
        return 0 if cache.kv_cache is None else cache.kv_cache.untyped_storage().nbytes()

    ids = torch.tensor([tokenizer.encode("\n".join(_documents()[:50]))[:tokens]])
    points = []
    with torch.inference_mode():
        for chunk in ids.split(turn, dim=1):
            model.forward(chunk, kv_cache=cache)
            points.append((cache.get_pos(), held()))
    cache.reset()
    return {"points": points, "after": held()}


QUESTIONS = {
    function.__name__: function
    for function in (recipe, opening_bits, bits_by_position, slowest_turn, input_bytes, cache_bytes)
}

if __name__ == "__main__":
    print(json.dumps(QUESTIONS[sys.argv[1]](**json.loads(sys.argv[2]))))
