"""One training step against the machine's float32 matmul rate, and against a plain eager form of it.

    python tests/bench/bench_training_step.py [--threads N] [--rounds N] [--cpu-time]

4 layers, width 256, 4 heads, sequence 256, vocabulary 4096, batch 8: forward, backward, AdamW and Muon. The
plain form has full logits in the loss, AdamW without fusing, and Muon matrix by matrix in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from harness import fastest, make_model, matmul, matmul_rate, parse_arguments

B, T = 8, 256
NEWTON_SCHULZ_STEPS = 5


def muon_flops(matrices: list[torch.Tensor]) -> int:
    """Of one update: each iteration multiplies X by its transpose, the square by itself, and that by X."""
    total = 0
    for matrix in matrices:
        short, long = sorted(matrix.shape)
        total += NEWTON_SCHULZ_STEPS * (4 * short * short * long + 2 * short**3)
    return total


def tree_step(inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, Callable[[], object]]:
    model = make_model(T)
    optimizers = model.setup_optimizers()

    def forward_backward() -> None:
        model.zero_grad(set_to_none=True)
        model(inputs, targets).backward()

    forward_backward()
    return {
        "forward and backward": forward_backward,
        "AdamW": optimizers[0].step,
        "Muon": optimizers[1].step,
    }


def plain_step(inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, Callable[[], object]]:
    model = make_model(T)
    tables = [model.transformer.wte.weight, model.lm_head.weight]
    matrices = list(model.transformer.h.parameters())
    adamw = torch.optim.AdamW(tables, lr=1e-3, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0, foreach=False)
    buffers = [torch.zeros_like(matrix) for matrix in matrices]

    def forward_backward() -> None:
        model.zero_grad(set_to_none=True)
        F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=-1).backward()

    @torch.no_grad()
    def muon() -> None:
        for matrix, buffer in zip(matrices, buffers, strict=True):
            buffer.lerp_(matrix.grad, 0.05)
            x = matrix.grad.lerp(buffer, 0.95).bfloat16()
            tall = x.size(0) > x.size(1)
            x = x.T if tall else x
            x = x / (x.norm() + 1e-7)
            for _ in range(NEWTON_SCHULZ_STEPS):
                gram = x @ x.T
                x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
            scale = max(1.0, matrix.size(0) / matrix.size(1)) ** 0.5
            matrix.add_((x.T if tall else x).float(), alpha=-0.02 * scale)

    forward_backward()
    return {"forward and backward": forward_backward, "AdamW": adamw.step, "Muon": muon}


def main() -> None:
    arguments = parse_arguments(__doc__)
    tokens = torch.randint(4096, (B, T + 1))
    inputs, targets = tokens[:, :-1].int(), tokens[:, 1:]
    parts = {"tree": tree_step(inputs, targets), "plain": plain_step(inputs, targets)}
    tasks = {(form, part): task for form, tasks in parts.items() for part, task in tasks.items()}
    seconds = fastest({"matmul": matmul(), **tasks}, arguments)

    rate = matmul_rate(seconds["matmul"])
    model = make_model(T)
    model_flops = model.estimate_flops() * B * T
    flops = model_flops + muon_flops(list(model.transformer.h.parameters()))
    print(f"float32 matmul: {rate / 1e9:.1f} GFLOP/s")
    print(f"a step: {model_flops / 1e9:.1f} GFLOP of the model, {(flops - model_flops) / 1e9:.1f} of Muon")
    for form, of_form in parts.items():
        times = {part: seconds[form, part] for part in of_form}
        step = sum(times.values())
        print(f"{form}: {1e3 * step:.0f} ms a step, {B * T / step:.0f} tokens/s")
        print("  " + ", ".join(f"{part} {1e3 * time:.1f} ms" for part, time in times.items()))
        print(
            f"  {flops / step / rate:.0%} of the matmul rate, {model_flops / step / rate:.0%} without Muon's"
        )
    ratio = sum(seconds["plain", part] for part in parts["plain"]) / sum(
        seconds["tree", part] for part in parts["tree"]
    )
    print(f"the tree takes the step {ratio:.2f} times as fast as the plain form")


if __name__ == "__main__":
    main()
