"""Generation with the engine against a plain eager decode loop with a cache, and the machine's matmul rate.

    python tests/bench/bench_generation.py [--threads N] [--rounds N] [--cpu-time]

4 layers, width 256, 4 heads, vocabulary 4096; prompt of 64 tokens, 200 new ones, top-k 50; 1 and 16 rows. The
plain loop is the model's definition written out: its cache is concatenated at every step, the prompt is read
by every row. Both draw from the same seed, and the tokens are compared. The products of the decoded columns
with the weights, and nothing else, are timed beside them: no loop that draws the same tokens is faster.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from harness import fastest, make_model, matmul, matmul_rate, parse_arguments
from nanochat.engine import Engine
from nanochat.gpt import GPT, apply_rotary_emb, norm
from nanochat.sampling import sample_next_token

PROMPT, NEW, TOP_K, SEED = 64, 200, 50, 42


class NoTools:
    """A tokenizer whose special tokens are no ids of the model: every row goes on to the end."""

    def encode_special(self, text: str) -> int:
        return -1

    def get_bos_token_id(self) -> int:
        return -1


@torch.no_grad()
def plain_generate(model: GPT, prompt: list[int], rows: int) -> list[list[int]]:
    """The columns of tokens that a loop without an engine draws."""
    config = model.config
    B, H, D = rows, config.n_head, config.n_embd // config.n_head
    generator = torch.Generator().manual_seed(SEED)
    caches: list[tuple[torch.Tensor, torch.Tensor] | None] = [None] * config.n_layer
    ids = torch.tensor([prompt] * rows)
    position, columns = 0, []
    while True:
        T = ids.size(1)
        cos, sin = model.cos[:, position : position + T], model.sin[:, position : position + T]
        x = norm(model.transformer.wte(ids))
        for i, block in enumerate(model.transformer.h):
            y = norm(x)
            q = block.attn.c_q(y).view(B, T, H, D)
            k = block.attn.c_k(y).view(B, T, H, D)
            v = block.attn.c_v(y).view(B, T, H, D).transpose(1, 2)
            q = norm(apply_rotary_emb(q, cos, sin)).transpose(1, 2)
            k = norm(apply_rotary_emb(k, cos, sin)).transpose(1, 2)
            if caches[i] is not None:
                k, v = torch.cat((caches[i][0], k), dim=2), torch.cat((caches[i][1], v), dim=2)
            caches[i] = (k, v)
            y = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1)
            x = x + block.attn.c_proj(y.transpose(1, 2).reshape(B, T, H * D))
            x = x + block.mlp.c_proj(F.relu(block.mlp.c_fc(norm(x))).square())
        logits = 15 * torch.tanh(model.lm_head(norm(x)) / 15)
        ids = sample_next_token(logits[:, -1], generator, top_k=TOP_K)
        columns.append(ids.flatten().tolist())
        if len(columns) == NEW:
            return columns
        position += T


@torch.inference_mode()
def multiply(model: GPT, rows: int) -> None:
    """The matrix products of every decoded column, with its weights read in the order of the layers."""
    weights = [module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)]
    inputs = {width: torch.randn(rows, width) for width in {weight.size(1) for weight in weights}}
    for _ in range(NEW - 1):
        for weight in weights:
            F.linear(inputs[weight.size(1)], weight)


def main() -> None:
    arguments = parse_arguments(__doc__)
    model = make_model(PROMPT + NEW)
    engine = Engine(model, NoTools())
    prompt = torch.randint(4096, (PROMPT,)).tolist()
    weights = 2 * (model.num_parameters - model.transformer.wte.weight.numel())
    for rows in (1, 16):

        def with_engine(rows: int = rows) -> list[list[int]]:
            columns = engine.generate(prompt, rows, max_tokens=NEW, top_k=TOP_K, seed=SEED)
            return [column for column, _ in columns]

        def plainly(rows: int = rows) -> list[list[int]]:
            return plain_generate(model, prompt, rows)

        def products(rows: int = rows) -> None:
            multiply(model, rows)

        agreeing = sum(a == b for a, b in zip(with_engine(), plainly(), strict=True))
        tasks = {"engine": with_engine, "plain": plainly, "products": products, "matmul": matmul()}
        seconds = fastest(tasks, arguments)
        rate = matmul_rate(seconds["matmul"])
        print(f"{rows} row{'s' * (rows > 1)}; float32 matmul {rate / 1e9:.1f} GFLOP/s")
        for form in ("engine", "plain"):
            speed = rows * NEW / seconds[form]
            print(f"  {form}: {speed:.0f} tokens/s, {weights * speed / rate:.1%} of the matmul rate")
        print(f"  the engine is {seconds['plain'] / seconds['engine']:.2f} times as fast")
        print(f"  the products alone are {seconds['plain'] / seconds['products']:.2f} times as fast")
        print(f"  the same tokens in {agreeing} of {NEW} columns")


if __name__ == "__main__":
    main()
