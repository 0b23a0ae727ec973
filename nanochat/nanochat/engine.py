"""Inference: a cache of keys and values, and the engine that generates with it.

    engine = Engine(model, tokenizer)
    for column, masks in engine.generate(tokens, num_samples=4, max_tokens=100):
        ...

The engine works on token ids. The prompt is read once, however many samples are drawn from it; then all rows
are decoded together, one column of tokens at a time. When a row closes a call of the python tool, the engine
computes the result and forces it back into that row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from nanochat.calculator import use_calculator
from nanochat.sampling import sample_next_token

# A cache that grows gets this much room beyond the need, and a length that is a multiple of it.
GROWTH = 1024


class KVCache:
    """The keys and values of every layer at every position so far.

    It is made for `seq_len` positions and grows when a sequence outlives it. The memory is taken at the first
    insertion, in the dtype and on the device of what is inserted.
    """

    def __init__(self, batch_size: int, num_heads: int, seq_len: int, head_dim: int, num_layers: int) -> None:
        self.kv_shape = (num_layers, 2, batch_size, num_heads, seq_len, head_dim)
        self.kv_cache: torch.Tensor | None = None
        self.pos = 0

    def reset(self) -> None:
        """Start over."""
        self.pos = 0
        self.kv_cache = None

    def get_pos(self) -> int:
        """How many positions the cache holds."""
        return self.pos

    def prefill(self, other: KVCache) -> None:
        """Begin from another cache: of one row, or of as many."""
        assert self.kv_cache is None, "only an empty cache can be prefilled: reset it first"
        # the shapes must fit
        layers, _, batch_size, heads, seq_len, head_dim = self.kv_shape
        other_layers, _, other_batch_size, other_heads, _, other_head_dim = other.kv_shape
        assert (layers, heads, head_dim) == (other_layers, other_heads, other_head_dim), (
            f"the caches are of different models: {layers} layers of {heads} heads of width {head_dim} here, "
            f"{other_layers} of {other_heads} of {other_head_dim} there"
        )
        assert other_batch_size in (1, batch_size), (
            f"cannot spread {other_batch_size} rows over {batch_size}: prefill from one row or from as many"
        )
        if other.kv_cache is None:
            return
        # copy the positions there are
        self.pos = other.pos
        shape = (layers, 2, batch_size, heads, max(seq_len, self.pos), head_dim)
        self.kv_cache = other.kv_cache.new_zeros(shape)  # (L, 2, B, H, T, D)
        self.kv_cache[..., : self.pos, :] = other.kv_cache[..., : self.pos, :]

    def insert_kv(
        self, layer_idx: int, k: torch.Tensor, v: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append a layer's keys and values, (B, H, t, D) each; returns all so far, (B, H, T, D) each."""
        # the first insertion allocates
        if self.kv_cache is None:
            self.kv_cache = k.new_zeros(self.kv_shape)  # (L, 2, B, H, T, D)
        t0, t1 = self.pos, self.pos + k.size(2)
        # grow
        if t1 > self.kv_cache.size(4):
            t_needed = t1 + GROWTH
            t_needed = (t_needed + GROWTH - 1) // GROWTH * GROWTH
            current = self.kv_cache.size(4)
            additional = t_needed - current
            empty = self.kv_cache.new_zeros(*self.kv_cache.shape[:4], additional, self.kv_cache.size(5))
            self.kv_cache = torch.cat((self.kv_cache, empty), dim=4)
        # write into this layer
        layer = self.kv_cache[layer_idx, ..., :t1, :]  # (2, B, H, T, D)
        keys, values = layer[0], layer[1]  # (B, H, T, D) each
        keys[..., t0:, :] = k.detach()
        values[..., t0:, :] = v.detach()
        if layer_idx == self.kv_cache.size(0) - 1:
            self.pos = t1
        return keys, values


@dataclass
class RowState:
    """Where one row of a batch stands."""

    forced_tokens: deque[int] = field(default_factory=deque)
    in_python_block: bool = False
    python_expr_tokens: list[int] = field(default_factory=list)
    completed: bool = False


class Engine:
    """Generates with a model and its tokenizer. Of the model it uses `config`, `get_device()`, `forward`."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model = model
        self.tokenizer = tokenizer

    def generate(
        self,
        tokens: list[int],
        num_samples: int = 1,
        max_tokens: int | None = None,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 42,
        kv_cache: KVCache | None = None,
    ) -> Iterator[tuple[list[int], list[int]]]:
        """Yield columns of tokens that continue a prompt: `(token_column, token_masks)`, an entry a row.

        A mask is 1 where the token was sampled and 0 where it was forced. A row ends with <|assistant_end|>
        or <|bos|>, which is yielded; from then on it holds <|assistant_end|>, with mask 0, until every row
        has ended. At most `max_tokens` columns come (None: no limit). The same seed gives the same tokens.

        `kv_cache`, of one row, continues an earlier call.
        """
        mode = torch.inference_mode() if kv_cache is None else torch.no_grad()
        return mode(self._generate)(tokens, num_samples, max_tokens, temperature, top_k, seed, kv_cache)

    def _generate(
        self,
        tokens: list[int],
        num_samples: int,
        max_tokens: int | None,
        temperature: float,
        top_k: int | None,
        seed: int,
        kv_cache: KVCache | None,
    ) -> Iterator[tuple[list[int], list[int]]]:
        assert tokens, "there must be at least one token to continue"
        assert num_samples > 0, f"num_samples must be positive, it is {num_samples}"
        assert kv_cache is None or num_samples == 1, "a conversation that goes on in a cache has one row"
        device = self.model.get_device()
        generator = torch.Generator(device=device).manual_seed(seed)

        # the special tokens that matter here
        special = self.tokenizer.encode_special
        python_start, python_end = special("<|python_start|>"), special("<|python_end|>")
        output_start, output_end = special("<|output_start|>"), special("<|output_end|>")
        assistant_end, bos = special("<|assistant_end|>"), self.tokenizer.get_bos_token_id()

        # prefill: one row
        length = len(tokens) + (max_tokens or self.model.config.sequence_len)
        if kv_cache is None:
            kv_cache = self._new_cache(1, length if num_samples == 1 else len(tokens))
        ids = torch.tensor([tokens], dtype=torch.long, device=device)  # (1, T)
        logits = self.model.forward(ids, kv_cache=kv_cache)[:, -1, :]  # (1, V)
        # as many rows as samples
        if num_samples > 1:
            prompt_cache, kv_cache = kv_cache, self._new_cache(num_samples, length)
            kv_cache.prefill(prompt_cache)
            del prompt_cache
            logits = logits.expand(num_samples, -1)  # (B, V)

        # decode, a column at a time
        rows = [RowState() for _ in range(num_samples)]
        yielded = 0
        while max_tokens is None or yielded < max_tokens:
            # sample the next token of every row
            sampled = sample_next_token(logits, generator, temperature, top_k)  # (B, 1)
            # then go through the rows
            token_column: list[int] = []
            token_masks: list[int] = []
            for row, token in zip(rows, sampled.flatten().tolist(), strict=True):
                # forced or sampled
                is_forced = bool(row.forced_tokens)
                if row.completed:
                    token = assistant_end
                elif is_forced:
                    token = row.forced_tokens.popleft()
                token_column.append(token)
                token_masks.append(0 if is_forced or row.completed else 1)

                # follow what the row is doing
                if token in (assistant_end, bos):
                    row.completed = True
                elif token == python_start:
                    row.in_python_block = True
                    row.python_expr_tokens = []
                elif token == python_end and row.in_python_block:
                    row.in_python_block = False
                    result = use_calculator(self.tokenizer.decode(row.python_expr_tokens))
                    row.python_expr_tokens = []
                    if result is not None:
                        row.forced_tokens.append(output_start)
                        row.forced_tokens.extend(self.tokenizer.encode(result))
                        row.forced_tokens.append(output_end)
                elif row.in_python_block:
                    row.python_expr_tokens.append(token)

            yield token_column, token_masks  # B of each
            yielded += 1
            if all(row.completed for row in rows) or yielded == max_tokens:
                return
            # one more step of the model
            ids = torch.tensor(token_column, dtype=torch.long, device=device).unsqueeze(1)  # (B, 1)
            logits = self.model.forward(ids, kv_cache=kv_cache)[:, -1, :]  # (B, V)

    def generate_batch(
        self, tokens: list[int], num_samples: int = 1, **options: Any
    ) -> tuple[list[list[int]], list[list[int]]]:
        """Generate to the end: for each sample its tokens and their masks, the prompt (mask 0) in front.

        Takes the options of `generate`. The token that ended a row is left out.
        """
        ends = (self.tokenizer.encode_special("<|assistant_end|>"), self.tokenizer.get_bos_token_id())
        results = [list(tokens) for _ in range(num_samples)]
        masks = [[0] * len(tokens) for _ in range(num_samples)]
        completed = [False] * num_samples
        for token_column, token_masks in self.generate(tokens, num_samples, **options):
            for i, (token, mask) in enumerate(zip(token_column, token_masks, strict=True)):
                completed[i] = completed[i] or token in ends
                if not completed[i]:
                    results[i].append(token)
                    masks[i].append(mask)
        return results, masks

    def _new_cache(self, batch_size: int, seq_len: int) -> KVCache:
        config = self.model.config
        return KVCache(
            batch_size=batch_size,
            num_heads=config.n_kv_head,
            seq_len=seq_len,
            head_dim=config.n_embd // config.n_head,
            num_layers=config.n_layer,
        )
