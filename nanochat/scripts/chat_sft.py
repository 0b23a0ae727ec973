"""Supervised fine-tuning: teach a pretrained model to hold a conversation and to call the calculator.

    python -m scripts.chat_sft                          # starts from runs/base, writes runs/sft
    torchrun --nproc_per_node 2 -m scripts.chat_sft

The model sees whole conversations, but only what the assistant says in them is trained: the user's words, the
tool's outputs and the padding are no targets. The conversations come from `nanochat.tasks`.

Then talk to the result: `python -m scripts.chat_cli`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from nanochat.checkpoint_manager import load_model
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
from nanochat.gpt import GPT
from nanochat.tasks import training_mixture, validation_mixture
from nanochat.tokenizer import Conversation, RustBPETokenizer, get_tokenizer
from nanochat.training import (
    Batch,
    TrainingSettings,
    TrainResult,
    begin_run,
    clip_gradients,
    get_batch_split,
    load_training_state,
    set_schedule,
    striped_batches,
    training_steps,
)

from scripts.base_train import get_lr_multiplier


class Dataset(Protocol):
    """Conversations by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Conversation: ...


@dataclass(frozen=True, kw_only=True)
class Settings(TrainingSettings):
    """Fine-tune a base model. Every period is in optimizer steps; 0 as a period is never."""

    base: str = setting("base", "name of the run to start from")
    name: str = setting("sft", "name of this run: its folder below the base folder")
    seed: int = setting(42, "of the conversations")

    num_iterations: int = setting(900, "optimizer steps")
    device_batch_size: int = setting(16, "conversations of a micro-batch")
    total_batch_size: int = setting(
        64, "conversations of an optimizer step, over all micro-batches and processes"
    )
    warmup_ratio: float = setting(0.02, "share of the steps in which the learning rate rises")
    warmdown_ratio: float = setting(0.6, "share of the steps in which it falls again")
    eval_conversations: int = setting(256, "how many held-out conversations to measure the loss on")


def sft_data_generator(
    dataset: Dataset,
    tokenizer: RustBPETokenizer,
    batch_size: int,
    device: torch.device | str = "cpu",
    *,
    rank: int | None = None,
    world_size: int | None = None,
    skip_batches: int = 0,
) -> Iterator[Batch]:
    """Yield `(inputs, targets)`, both int64 (batch_size, T); a target of -1 is none.

    The targets are what the assistant says, as the top of this file has it. T fits the longest conversation
    of the batch; shorter rows are filled up with `<|assistant_end|>`. Goes over and over through the dataset;
    rank r of w reads the conversations r, r+w, ...; both default to torchrun's.
    """
    _, default_rank, _, default_world_size = get_dist_info()
    rank = default_rank if rank is None else rank
    world_size = default_world_size if world_size is None else world_size
    pad_token_id = tokenizer.encode_special("<|assistant_end|>")

    batch_index = skip_batches
    while True:
        # the conversations of this batch
        first = batch_index * batch_size
        indices = [((first + row) * world_size + rank) % len(dataset) for row in range(batch_size)]
        rows = [tokenizer.render_conversation(dataset[index]) for index in indices]
        length = max(len(ids) for ids, _ in rows) - 1
        # rows of one length
        inputs = torch.full((batch_size, length), pad_token_id)  # (batch_size, T)
        targets = torch.full((batch_size, length), -1)  # (batch_size, T)
        for row, (ids, mask) in enumerate(rows):
            ids_tensor = torch.tensor(ids)
            mask_tensor = torch.tensor(mask[1:])
            row_targets = ids_tensor[1:].clone()
            row_targets[mask_tensor == 0] = -1
            inputs[row, : len(ids) - 1] = ids_tensor[:-1]
            targets[row, : len(ids) - 1] = row_targets
        yield inputs.to(device), targets.to(device)
        batch_index += 1


def count_targets(batches: Sequence[Batch]) -> torch.Tensor:
    """Trained tokens in the batches, as a float. Every rank calls this."""
    count = torch.stack([(targets >= 0).sum() for _, targets in batches]).sum().float()
    if dist.is_initialized():
        dist.all_reduce(count)
    return count


def train(
    settings: Settings,
    *,
    model: GPT,
    tokenizer: RustBPETokenizer,
    dataset: Dataset | None = None,
    val_dataset: Dataset | None = None,
    device: torch.device | str = "cpu",
    run_dir: Path | None = None,
    start_step: int = 0,
    on_step: Callable[[dict[str, Any]], None] | None = None,
) -> TrainResult:
    """Train `model` from `start_step` (a checkpoint in `run_dir`, unless 0) to the last step.

    Loss is per trained token. With `run_dir`, metrics and checkpoints are saved there; without, nothing is.
    `on_step` sees the metrics of every step.
    """
    # how a step is split
    _, _, _, world_size = get_dist_info()
    stripes, grad_accum_steps = get_batch_split(settings, settings.total_batch_size)

    # conversations and model
    dataset = dataset or training_mixture(settings.seed, sorted_stretch=settings.total_batch_size)
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
    make_loader = partial(sft_data_generator, dataset, tokenizer, settings.device_batch_size, device)
    batches = striped_batches(make_loader, stripes, skip_micro_batches=start_step * grad_accum_steps)

    def measure() -> dict[str, float]:
        return {"val_loss": validate(model, settings, tokenizer, val_dataset, device)}

    for step, record in training_steps(
        settings, result, measure, stripes=stripes, start_step=start_step, run_dir=run_dir, on_step=on_step
    ):
        # the micro-batches, (batch, T) each
        micro_batches = [next(batches) for _ in range(grad_accum_steps)]
        num_targets = count_targets(micro_batches)
        train_loss = torch.zeros((), device=device)
        for inputs, targets in micro_batches:
            loss = model(inputs, targets, loss_reduction="sum") / num_targets
            train_loss += loss.detach()
            (loss * world_size).backward()
        if world_size > 1:
            dist.all_reduce(train_loss)
        grad_norm = clip_gradients(model.parameters(), settings.grad_clip)

        # schedule and step
        lr_multiplier = get_lr_multiplier(
            step,
            settings.num_iterations,
            settings.warmup_ratio,
            settings.warmdown_ratio,
            settings.final_lr_frac,
        )
        set_schedule(optimizers, lr_multiplier)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad(set_to_none=True)

        record |= {
            "loss": train_loss.item(),
            "lr_multiplier": lr_multiplier,
            "grad_norm": grad_norm,
            "tokens": world_size * sum(inputs.numel() for inputs, _ in micro_batches),
            "trained_tokens": int(num_targets.item()),
        }
    return result


@torch.no_grad()
def validate(
    model: GPT,
    settings: Settings,
    tokenizer: RustBPETokenizer,
    dataset: Dataset | None,
    device: torch.device | str,
) -> float:
    """The mean loss over the trained tokens of the first `eval_conversations` held-out conversations."""
    _, _, _, world_size = get_dist_info()
    dataset = dataset or validation_mixture(settings.seed, sorted_stretch=settings.total_batch_size)
    make_loader = partial(sft_data_generator, dataset, tokenizer, settings.device_batch_size, device)
    loader = striped_batches(make_loader, settings.stripes or world_size)
    num_batches = max(1, settings.eval_conversations // (settings.device_batch_size * world_size))
    batches = [next(loader) for _ in range(num_batches)]
    summed = torch.stack([model(inputs, targets, loss_reduction="sum") for inputs, targets in batches]).sum()
    if world_size > 1:
        dist.all_reduce(summed)
    return float(summed / count_targets(batches))


def main(argv: Sequence[str] | None = None) -> None:
    settings = parse_settings(Settings, argv)
    device_type = autodetect_device_type() if settings.device == "auto" else settings.device
    *_, device = compute_init(device_type)
    try:
        tokenizer = get_tokenizer()
        model, _ = load_model(get_base_dir() / settings.base, device)
        run_dir = get_base_dir() / settings.name
        start_step = begin_run(run_dir, resume=settings.resume, overwrite=settings.overwrite)
        with Progress(settings.num_iterations - start_step, unit="steps", title="fine-tuning") as progress:

            def show(record: dict[str, Any]) -> None:
                shown = {"step": record["step"] + 1, "loss": record["loss"]}
                shown["tokens/s"] = f"{record['tokens_per_second']:,.0f}"
                if "val_loss" in record:
                    shown["val"] = record["val_loss"]
                progress.update(1, **shown)

            train(
                settings,
                model=model,
                tokenizer=tokenizer,
                device=device,
                run_dir=run_dir,
                start_step=start_step,
                on_step=show,
            )
        print0(f"the model is in {run_dir}; talk to it: python -m scripts.chat_cli")
    finally:
        compute_cleanup()


if __name__ == "__main__":
    run_script(main)
