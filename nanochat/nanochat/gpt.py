"""The GPT model.

    model = GPT(GPTConfig(n_layer=4, n_embd=256))
    model.init_weights()
    loss = model(inputs, targets)          # training
    logits = model(ids, kv_cache=cache)    # inference, see engine.py

What is notable:

- rotary position embedding, no learned positions
- RMS norm without parameters, also after the embedding and on queries and keys
- no biases in the linear layers
- ReLU² in the MLP
- the token embedding and the head are not tied
- grouped-query attention: several query heads may share one key/value head
- logits softly capped at 15, in float32
- the head and the last matrix of every attention and MLP start at zero

There is no dropout. In comments on shapes, B is batch, T time, C width, H heads (H_kv those of
keys and values), D head width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

from nanochat.adamw import DistAdamW
from nanochat.cross_entropy import head_cross_entropy, softcapped_logits
from nanochat.muon import DistMuon, Muon
from nanochat.sampling import sample_next_token

if TYPE_CHECKING:
    from nanochat.engine import KVCache


@dataclass
class GPTConfig:
    """The shape of a model. Raises ValueError when the numbers do not fit each other."""

    sequence_len: int = 1024  # T, of a row in training
    vocab_size: int = 4096  # V
    n_layer: int = 4
    n_head: int = 4  # H, query heads
    n_kv_head: int = 4  # H_kv, key/value heads
    n_embd: int = 256  # C

    def __post_init__(self) -> None:
        if self.n_embd % self.n_head or (self.n_embd // self.n_head) % 2:
            raise ValueError(f"n_embd {self.n_embd} must be n_head {self.n_head} times an even head width")
        if self.n_head % self.n_kv_head:
            raise ValueError(f"n_kv_head {self.n_kv_head} must divide n_head {self.n_head}")


def norm(x: torch.Tensor) -> torch.Tensor:
    """RMS norm over the last dimension, without learnable parameters (https://arxiv.org/abs/1910.07467)."""
    return F.rms_norm(x, (x.size(-1),))


def apply_rotary_emb(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotate the channel pairs of `x` (B, T, H, D) by their position's angles, cos and sin (1, T, 1, D/2).

    Channel i of the first half is paired with channel i of the second (https://arxiv.org/abs/2104.09864).
    """
    a, b = x.chunk(2, dim=-1)  # (B, T, H, D/2) each
    return torch.cat((a * cos + b * sin, -a * sin + b * cos), dim=-1)


class CausalSelfAttention(nn.Module):
    """Multi-head attention in which each position sees itself and what came before it."""

    def __init__(self, config: GPTConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx = layer_idx
        self.n_head = config.n_head
        self.n_kv_head = config.n_kv_head
        self.head_dim = config.n_embd // config.n_head
        self.c_q = nn.Linear(config.n_embd, self.n_head * self.head_dim, bias=False)
        self.c_k = nn.Linear(config.n_embd, self.n_kv_head * self.head_dim, bias=False)
        self.c_v = nn.Linear(config.n_embd, self.n_kv_head * self.head_dim, bias=False)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=False)

    def forward(
        self, x: torch.Tensor, cos_sin: tuple[torch.Tensor, torch.Tensor], kv_cache: KVCache | None = None
    ) -> torch.Tensor:
        """Attend within `x` (B, T, C) and, with a cache, to the positions before it. Returns (B, T, C)."""
        B, T, C = x.size()

        # project to queries, keys and values
        q = self.c_q(x).view(B, T, self.n_head, self.head_dim)  # (B, T, H, D)
        k = self.c_k(x).view(B, T, self.n_kv_head, self.head_dim)  # (B, T, H_kv, D)
        v = self.c_v(x).view(B, T, self.n_kv_head, self.head_dim)  # (B, T, H_kv, D)

        # rotate and norm queries and keys, in one go
        qk = norm(apply_rotary_emb(torch.cat((q, k), dim=2), *cos_sin))  # (B, T, H + H_kv, D)
        q, k = qk.split((self.n_head, self.n_kv_head), dim=2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)  # (B, H, T, D)

        # keys and values go through the cache
        if kv_cache is not None:
            k, v = kv_cache.insert_kv(self.layer_idx, k, v)

        # scaled dot-product attention
        T_q, T_k = q.size(2), k.size(2)
        enable_gqa = self.n_head != self.n_kv_head
        if T_q == T_k:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=enable_gqa)
        elif T_q == 1:
            y = F.scaled_dot_product_attention(q, k, v, enable_gqa=enable_gqa)
        else:
            # (T_q, T_k)
            mask = torch.ones(T_q, T_k, dtype=torch.bool, device=q.device).tril(diagonal=T_k - T_q)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=enable_gqa)

        # heads side by side again, and back into the residual stream
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))  # (B, T, C)


class MLP(nn.Module):
    """Two linear layers with ReLU² between them (https://arxiv.org/abs/2109.08668)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=False)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, T, C) to (B, T, C)."""
        x = self.c_fc(x)  # (B, T, 4C)
        x = F.relu(x).square()
        return self.c_proj(x)  # (B, T, C)


class Block(nn.Module):
    """One layer: attention, then the MLP, each on the normed residual stream and added to it."""

    def __init__(self, config: GPTConfig, layer_idx: int) -> None:
        super().__init__()
        self.attn = CausalSelfAttention(config, layer_idx)
        self.mlp = MLP(config)

    def forward(
        self, x: torch.Tensor, cos_sin: tuple[torch.Tensor, torch.Tensor], kv_cache: KVCache | None = None
    ) -> torch.Tensor:
        """(B, T, C) to (B, T, C)."""
        x = x + self.attn(norm(x), cos_sin, kv_cache)
        return x + self.mlp(norm(x))


class GPT(nn.Module):
    """The model. See `init_weights` and `setup_optimizers`."""

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(config.vocab_size, config.n_embd),
                "h": nn.ModuleList([Block(config, layer_idx) for layer_idx in range(config.n_layer)]),
            }
        )
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self._register_rotary_embeddings(config.sequence_len)

    def init_weights(self) -> None:
        """Draw fresh weights (https://arxiv.org/abs/2310.17813)."""
        # linear layers and embeddings
        for module in self.modules():
            if isinstance(module, nn.Linear):
                fan_out, fan_in = module.weight.shape
                nn.init.normal_(module.weight, std=min(1.0, (fan_out / fan_in) ** 0.5) / fan_in**0.5)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=1.0)
        # head and output projections
        nn.init.zeros_(self.lm_head.weight)
        for block in self.transformer.h:
            nn.init.zeros_(block.attn.c_proj.weight)
            nn.init.zeros_(block.mlp.c_proj.weight)
        # rotary embeddings
        self._register_rotary_embeddings(self.config.sequence_len)

    def _precompute_rotary_embeddings(
        self, seq_len: int, head_dim: int, base: float = 10000, device: torch.device | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines of each position's angle for each channel pair, (1, seq_len, 1, head_dim/2)."""
        if device is None:
            device = self.get_device()
        # one frequency for each pair of channels
        channel_range = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device)
        inv_freq = 1.0 / (base ** (channel_range / head_dim))
        # an angle for each position and pair
        positions = torch.arange(seq_len, dtype=torch.float32, device=device)
        angles = torch.outer(positions, inv_freq)  # (seq_len, head_dim/2)
        return angles.cos()[None, :, None, :], angles.sin()[None, :, None, :]  # (1, seq_len, 1, head_dim/2)

    def _register_rotary_embeddings(self, seq_len: int) -> None:
        head_dim = self.config.n_embd // self.config.n_head
        with torch.inference_mode(False):
            cos, sin = self._precompute_rotary_embeddings(seq_len, head_dim)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def get_device(self) -> torch.device:
        """The device the weights are on."""
        return self.transformer.wte.weight.device

    @property
    def num_parameters(self) -> int:
        """How many numbers the model learns, the embedding and the head included."""
        return sum(p.numel() for p in self.parameters())

    def estimate_flops(self) -> int:
        """Floating-point operations to train on one token, forward and backward (https://arxiv.org/abs/2204.02311).

        Six for every weight that multiplies (all but the embedding), and twelve for every channel of every
        head, layer and position of the sequence in the attention.
        """
        config = self.config
        multiplying = self.num_parameters - self.transformer.wte.weight.numel()
        return 6 * multiplying + 12 * config.n_layer * config.n_embd * config.sequence_len

    def setup_optimizers(
        self,
        unembedding_lr: float = 0.004,
        embedding_lr: float = 0.2,
        matrix_lr: float = 0.02,
        weight_decay: float = 0.0,
    ) -> list[torch.optim.Optimizer]:
        """`[adamw, muon]`, with the learning rates of `nanochat.training`; sharded over several processes."""
        # parameters by kind
        matrix_params = list(self.transformer.h.parameters())
        embedding_params = list(self.transformer.wte.parameters())
        lm_head_params = list(self.lm_head.parameters())

        # the rates were tuned at width 768
        lr_scale = (self.config.n_embd / 768) ** -0.5
        adam_groups = [
            {"params": lm_head_params, "lr": unembedding_lr * lr_scale},
            {"params": embedding_params, "lr": embedding_lr * lr_scale},
        ]
        # one process, or several
        distributed = is_distributed()
        AdamWFactory = DistAdamW if distributed else torch.optim.AdamW
        MuonFactory = DistMuon if distributed else Muon
        adamw = AdamWFactory(
            adam_groups,
            betas=(0.8, 0.95),
            eps=1e-10,
            weight_decay=weight_decay,
            fused=self.get_device().type in ("cpu", "cuda"),
        )
        muon = MuonFactory(matrix_params, lr=matrix_lr, momentum=0.95)
        # for schedules
        for optimizer in (adamw, muon):
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
        return [adamw, muon]

    def forward(
        self,
        idx: torch.Tensor,
        targets: torch.Tensor | None = None,
        kv_cache: KVCache | None = None,
        loss_reduction: str = "mean",
    ) -> torch.Tensor:
        """Logits of the next token, float32 (B, T, V); or, with `targets` (B, T), their cross-entropy loss.

        `idx` holds token ids (B, T), int32 or int64. Targets of -1 are left out of the loss. The loss is a
        scalar for the reductions "mean" (over the targets that count; NaN when none does) and "sum", and
        (B·T,) for "none". With a cache, `idx` continues what the cache holds, and is added to it.
        """
        # rotary embeddings of positions T0 to T1
        T0 = 0 if kv_cache is None else kv_cache.get_pos()
        T1 = T0 + idx.size(1)
        if self.cos.size(1) < T1:
            self._register_rotary_embeddings(2 * T1)
        cos_sin = self.cos[:, T0:T1], self.sin[:, T0:T1]  # (1, T, 1, D/2) each

        # the trunk
        x = norm(self.transformer.wte(idx))  # (B, T, C)
        for block in self.transformer.h:
            x = block(x, cos_sin, kv_cache)  # (B, T, C)
        x = norm(x)

        # the head: logits or loss
        if targets is None:
            return softcapped_logits(x, self.lm_head.weight)  # (B, T, V)
        return head_cross_entropy(x.flatten(0, 1), self.lm_head.weight, targets.flatten(), loss_reduction)

    @torch.no_grad()
    def generate(
        self,
        tokens: list[int],
        max_tokens: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 42,
    ) -> Iterator[int]:
        """Yield `max_tokens` tokens that continue `tokens`, one row, without a cache.

        The plain form, which reads the whole sequence again for every token; `Engine` is the fast one.
        """
        device = self.get_device()
        generator = torch.Generator(device=device).manual_seed(seed)
        ids = torch.tensor([tokens], dtype=torch.long, device=device)  # (1, T)
        for _ in range(max_tokens):
            logits = self.forward(ids)[:, -1, :]  # (1, V)
            next_id = sample_next_token(logits, generator, temperature, top_k)  # (1, 1)
            ids = torch.cat((ids, next_id), dim=1)  # (1, T + 1)
            yield next_id.item()


def is_distributed() -> bool:
    """Whether this process trains together with others."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
