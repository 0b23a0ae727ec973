"""Pretraining: teach a new model to predict the next token of the corpus.

    python -m scripts.base_train                        # the small recipe, minutes on a laptop
    python -m scripts.base_train --depth 6 --num-iterations 5000
    torchrun --nproc_per_node 2 -m scripts.base_train   # the same, in two processes

A run is kept in runs/<name>/: checkpoints, and metrics.jsonl with a line for each step. `--resume` goes on
from the newest checkpoint and gives the same losses as a run that was never interrupted.

Needs a tokenizer (`python -m scripts.tok_train`). Fine-tuning comes next: `python -m scripts.chat_sft`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from nanochat.checkpoint_manager import build_model
from nanochat.common import (
    Progress,
    autodetect_device_type,
    compute_cleanup,
    compute_init,
    get_base_dir,
    get_dist_info,
    parse_settings,
    print0,
    run_script,
    setting,
)
from nanochat.dataloader import tokenizing_distributed_data_loader
from nanochat.gpt import GPT, GPTConfig
from nanochat.loss_eval import evaluate_bpb
from nanochat.tokenizer import RustBPETokenizer, get_token_bytes, get_tokenizer
from nanochat.training import (
    TrainingSettings,
    TrainResult,
    average_over_ranks,
    begin_run,
    clip_gradients,
    get_batch_split,
    load_training_state,
    set_schedule,
    striped_batches,
    training_steps,
)

Documents = Iterable[str] | Iterable[list[str]]


@dataclass(frozen=True, kw_only=True)
class Settings(TrainingSettings):
    """Train a base model. Lengths are in tokens, periods in optimizer steps; 0 as a period is never."""

    name: str = setting("base", "name of this run: its folder below the base folder")
    seed: int = setting(42, "of the initial weights")

    depth: int = setting(2, "number of blocks; the width is 64 times as much")
    n_embd: int | None = setting(None, "width of the model, instead of 64 * depth")
    n_head: int | None = setting(None, "query heads, instead of the fewest of width up to 128")
    n_kv_head: int | None = setting(None, "key/value heads, instead of as many as query heads")
    sequence_len: int = setting(256, "length of a row, and so of what the model sees at once")

    num_iterations: int = setting(600, "optimizer steps")
    total_batch_size: int = setting(4096, "tokens of an optimizer step, over all micro-batches and processes")
    eval_tokens: int = setting(32768, "validation tokens to measure bits per byte on")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("depth", "sequence_len", "eval_tokens"):
            self.require(name, at_least=1)


def get_lr_multiplier(
    it: int,
    num_iterations: int,
    warmup_ratio: float = 0.05,
    warmdown_ratio: float = 0.3,
    final_lr_frac: float = 0.0,
) -> float:
    """The share of the initial learning rate at step `it`, counted from 0: up, level, then linearly down.

    The rate is whole at the last warm-up step and reaches `final_lr_frac` when all `num_iterations` are done.
    """
    warmup_iters = round(warmup_ratio * num_iterations)
    warmdown_iters = round(warmdown_ratio * num_iterations)
    remaining_iters = num_iterations - it
    # warm-up
    if it < warmup_iters:
        return (it + 1) / warmup_iters
    # constant
    if remaining_iters >= warmdown_iters:
        return 1.0
    # warm-down
    return final_lr_frac + (1.0 - final_lr_frac) * remaining_iters / warmdown_iters


def get_muon_momentum(it: int) -> float:
    """Muon's momentum at step `it`: from 0.85 to 0.95 over the first 300 steps."""
    progress = min(it / 300, 1.0)
    return (1 - progress) * 0.85 + progress * 0.95


def get_model_config(settings: Settings, vocab_size: int) -> GPTConfig:
    """The model's shape: width 64 * depth and the fewest heads of width up to 128, unless told otherwise."""
    n_embd = settings.n_embd or 64 * settings.depth
    n_head = settings.n_head or next(
        heads for heads in range(1, n_embd + 1) if n_embd % (2 * heads) == 0 and n_embd // heads <= 128
    )
    return GPTConfig(
        sequence_len=settings.sequence_len,
        vocab_size=vocab_size,
        n_layer=settings.depth,
        n_head=n_head,
        n_kv_head=settings.n_kv_head or n_head,
        n_embd=n_embd,
    )


def train(
    settings: Settings,
    *,
    tokenizer: RustBPETokenizer | None = None,
    documents: Documents | None = None,
    val_documents: Documents | None = None,
    model: GPT | None = None,
    device: torch.device | str = "cpu",
    run_dir: Path | None = None,
    start_step: int = 0,
    on_step: Callable[[dict[str, Any]], None] | None = None,
) -> TrainResult:
    """Train from `start_step` (a checkpoint in `run_dir`, unless 0) to the last step.

    Tokenizer, documents and a freshly initialised model come from the settings unless given. With `run_dir`,
    metrics and checkpoints are saved there; without, nothing is. `on_step` sees the metrics of every step.
    """
    # how a step is split
    stripes, grad_accum_steps = get_batch_split(settings, settings.total_batch_size, settings.sequence_len)

    # tokenizer and model
    tokenizer = tokenizer or get_tokenizer()
    if model is None:
        torch.manual_seed(settings.seed)
        model = build_model(get_model_config(settings, tokenizer.get_vocab_size()), device)
    model.train()

    # optimizers
    optimizers = model.setup_optimizers(
        unembedding_lr=settings.unembedding_lr,
        embedding_lr=settings.embedding_lr,
        matrix_lr=settings.matrix_lr,
        weight_decay=settings.weight_decay,
    )

    # go on where the checkpoint is
    result = TrainResult(model, optimizers)
    load_training_state(run_dir, start_step, settings, stripes, result)

    # training data
    make_loader = partial(
        tokenizing_distributed_data_loader,
        settings.device_batch_size,
        settings.sequence_len,
        "train",
        device=device,
        documents=documents,
        tokenizer=tokenizer,
    )
    batches = striped_batches(make_loader, stripes, skip_micro_batches=start_step * grad_accum_steps)

    def measure() -> dict[str, float]:
        return {
            "val_bpb": validate(model, settings, tokenizer=tokenizer, documents=val_documents, device=device)
        }

    for step, record in training_steps(
        settings, result, measure, stripes=stripes, start_step=start_step, run_dir=run_dir, on_step=on_step
    ):
        # the micro-batches
        train_loss = torch.zeros((), device=device)
        for _ in range(grad_accum_steps):
            inputs, targets = next(batches)  # (B, T) each
            loss = model(inputs, targets)
            train_loss += loss.detach() / grad_accum_steps
            loss = loss / grad_accum_steps
            loss.backward()
        average_over_ranks([train_loss])
        grad_norm = clip_gradients(model.parameters(), settings.grad_clip)

        # schedule and step
        lr_multiplier = get_lr_multiplier(
            step,
            settings.num_iterations,
            settings.warmup_ratio,
            settings.warmdown_ratio,
            settings.final_lr_frac,
        )
        set_schedule(optimizers, lr_multiplier, get_muon_momentum(step))
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad(set_to_none=True)

        record |= {
            "loss": train_loss.item(),
            "lr_multiplier": lr_multiplier,
            "grad_norm": grad_norm,
            "tokens": settings.total_batch_size,
        }
    return result


def validate(
    model: GPT,
    settings: Settings,
    *,
    tokenizer: RustBPETokenizer,
    documents: Documents | None,
    device: torch.device | str,
) -> float:
    """Bits per byte on the first `eval_tokens` of the validation split."""
    _, _, _, world_size = get_dist_info()
    stripes = settings.stripes or world_size
    make_loader = partial(
        tokenizing_distributed_data_loader,
        settings.device_batch_size,
        settings.sequence_len,
        "val",
        device=device,
        documents=documents,
        tokenizer=tokenizer,
    )
    micro_batches = settings.eval_tokens // (settings.device_batch_size * settings.sequence_len * world_size)
    batches = striped_batches(make_loader, stripes)
    return evaluate_bpb(model, batches, max(1, micro_batches), get_token_bytes(tokenizer, device))


def main(argv: Sequence[str] | None = None) -> None:
    settings = parse_settings(Settings, argv)
    device_type = autodetect_device_type() if settings.device == "auto" else settings.device
    *_, device = compute_init(device_type)
    try:
        run_dir = get_base_dir() / settings.name
        start_step = begin_run(run_dir, resume=settings.resume, overwrite=settings.overwrite)
        remaining_tokens = (settings.num_iterations - start_step) * settings.total_batch_size
        with Progress(remaining_tokens, unit="tokens", title="pretraining") as progress:

            def show(record: dict[str, Any]) -> None:
                shown = {"step": record["step"] + 1, "loss": record["loss"]}
                if "val_bpb" in record:
                    shown["bpb"] = record["val_bpb"]
                progress.update(settings.total_batch_size, **shown)

            train(settings, device=device, run_dir=run_dir, start_step=start_step, on_step=show)
        print0(f"the model is in {run_dir}; next: python -m scripts.chat_sft")
    finally:
        compute_cleanup()


if __name__ == "__main__":
    run_script(main)
