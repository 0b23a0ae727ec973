"""What pretraining and fine-tuning share: settings, a run's folder, batches and gradients over processes."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from nanochat.checkpoint_manager import (
    build_meta,
    latest_step,
    load_checkpoint,
    remove_checkpoints,
    save_checkpoint,
)
from nanochat.common import UserError, get_dist_info, setting
from nanochat.gpt import GPT

METRICS_FILE = "metrics.jsonl"

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The settings of every kind of training. Every period is in optimizer steps; 0 as a period is never."""

    name: str = setting("run", "name of this run: its folder below the base folder")
    resume: bool = setting(False, "go on from the newest checkpoint of the run, if it has one")
    overwrite: bool = setting(False, "delete the run of this name first")
    device: str = setting("auto", "cuda, mps, cpu, or auto for the best there is")
    seed: int = setting(42, "of everything random")

    num_iterations: int = setting(1000, "optimizer steps")
    device_batch_size: int = setting(8, "rows of a micro-batch")
    stripes: int | None = setting(
        None, "read the data as this many processes would (default: as many as run)"
    )

    unembedding_lr: float = setting(0.004, "learning rate of the head")
    embedding_lr: float = setting(0.2, "learning rate of the embedding")
    matrix_lr: float = setting(0.02, "learning rate of the blocks' matrices")
    weight_decay: float = setting(0.0, "of the head and the embedding")
    grad_clip: float = setting(1.0, "largest norm of the gradient; 0 does not clip")
    warmup_ratio: float = setting(0.05, "share of the steps in which the learning rate rises")
    warmdown_ratio: float = setting(0.3, "share of the steps in which it falls again")
    final_lr_frac: float = setting(0.0, "what it falls to, as a share of the highest")

    eval_every: int = setting(100, "period of measuring the loss on held-out data")
    save_every: int = setting(100, "period of saving a checkpoint; the last step is always saved")
    keep: int = setting(2, "number of checkpoints to keep, the newest")

    def __post_init__(self) -> None:
        for name in ("num_iterations", "device_batch_size", "keep"):
            self.require(name, at_least=1)
        for name in ("grad_clip", "eval_every", "save_every", "warmup_ratio", "warmdown_ratio"):
            self.require(name, at_least=0)
        if self.warmup_ratio + self.warmdown_ratio > 1:
            raise ValueError("warmup_ratio and warmdown_ratio must add up to 1 at most")

    def require(self, name: str, *, at_least: int) -> None:
        """Raise ValueError if the setting of this name is too small."""
        if getattr(self, name) < at_least:
            raise ValueError(f"{name} must be {at_least} or more, not {getattr(self, name)}")


# What a resumed run may have different from the one it goes on with: none of it changes what is learnt.
FREE_SETTINGS = {
    *("name", "base", "resume", "overwrite", "device", "stripes", "save_every", "keep"),
    *("eval_every", "eval_tokens", "eval_conversations"),
}


@dataclass
class TrainResult:
    """The trained model, its optimizers, and the metrics of every step made.

    `seconds_before` is how long the steps before these took, in a run that was resumed.
    """

    model: GPT
    optimizers: list[torch.optim.Optimizer]
    records: list[dict[str, Any]] = field(default_factory=list)
    seconds_before: float = 0.0

    @property
    def losses(self) -> list[float]:
        return [record["loss"] for record in self.records]


def begin_run(run_dir: Path, *, resume: bool, overwrite: bool) -> int:
    """The number of steps already done in `run_dir`: 0 for a new run. Every rank calls this.

    A run that is there is continued with `resume`, deleted with `overwrite`, and otherwise a `UserError`.
    """
    if resume and overwrite:
        raise UserError("choose one of --resume and --overwrite")
    _, rank, _, _ = get_dist_info()
    step = 0
    # rank 0 looks
    if rank == 0:
        step = latest_step(run_dir) or 0
        if step and not (resume or overwrite):
            raise UserError(
                f"{run_dir} holds a run of {step} steps: --resume goes on with it, --overwrite starts again"
            )
        if overwrite:
            remove_checkpoints(run_dir)
            step = 0
    # and tells the others
    if dist.is_initialized():
        done = torch.tensor([step], device=_communication_device())
        dist.broadcast(done, src=0)
        step = int(done.item())
    return step


class MetricsLog:
    """One JSON line per training step in `run_dir/metrics.jsonl`; nothing at all when `run_dir` is None.

    Lines of steps from `start_step` on are dropped first: they were written after the checkpoint that the run
    resumes from, and are about to be written again.
    """

    def __init__(self, run_dir: Path | None, start_step: int = 0) -> None:
        self._file = None
        if run_dir is None or get_dist_info()[1] != 0:
            return
        run_dir.mkdir(parents=True, exist_ok=True)
        path = run_dir / METRICS_FILE
        kept = [record for record in read_metrics(run_dir) if record["step"] < start_step]
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        temporary.replace(path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, record: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()

    def sync(self) -> None:
        """Put what was written on disk, so that no checkpoint is newer than its metrics."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def read_metrics(run_dir: Path) -> list[dict[str, Any]]:
    """The metrics of a run, one dictionary a step. A last line cut short by a kill is left out."""
    path = run_dir / METRICS_FILE
    records = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records


def load_training_state(
    run_dir: Path | None,
    step: int,
    settings: TrainingSettings,
    stripes: int,
    result: TrainResult,
) -> None:
    """Bring model and optimizers to where they were after `step` steps; step 0 is where they are.

    Raises `UserError` if the run had other settings, with which it would not go on as it would have.
    """
    if step == 0:
        return
    if run_dir is None:
        raise ValueError("start_step needs the run_dir whose checkpoint to start from")
    # the settings must be those of the run
    checkpoint = load_checkpoint(run_dir, step, result.model.get_device())
    before = {**checkpoint.meta["settings"], "stripes in use": checkpoint.meta["stripes"]}
    now = {**asdict(settings), "stripes in use": stripes}
    changed = [
        f"{name} was {before.get(name)} and is {value}"
        for name, value in now.items()
        if name not in FREE_SETTINGS and before.get(name) != value
    ]
    if changed:
        raise UserError("a run goes on with the settings it began with, but " + "; ".join(changed))
    # model, optimizers, random numbers
    result.model.load_state_dict(checkpoint.model_state)
    for optimizer, state in zip(result.optimizers, checkpoint.optimizer_states, strict=True):
        optimizer.load_state_dict(state)
    torch.set_rng_state(checkpoint.rng_state)
    result.seconds_before = checkpoint.meta["last"]["seconds"]


def save_training_state(run_dir: Path, settings: TrainingSettings, stripes: int, result: TrainResult) -> None:
    """Save a checkpoint of the last step in `result.records`. Every rank calls this."""
    last = result.records[-1]
    save_checkpoint(
        run_dir,
        last["step"] + 1,
        result.model.state_dict(),
        [optimizer.state_dict() for optimizer in result.optimizers],
        build_meta(result.model, settings=asdict(settings), stripes=stripes, last=last),
        rank=get_dist_info()[1],
        keep=settings.keep,
    )


def is_due(step: int, period: int, num_iterations: int) -> bool:
    """Whether step `step` is followed by what is done every `period` steps (0: never) and after the last."""
    return period > 0 and ((step + 1) % period == 0 or step + 1 == num_iterations)


def training_steps(
    settings: TrainingSettings,
    result: TrainResult,
    validate: Callable[[], dict[str, float]],
    *,
    stripes: int,
    start_step: int = 0,
    run_dir: Path | None = None,
    on_step: Callable[[dict[str, Any]], None] | None = None,
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield `(step, record)` for each step to make; what follows a step is done when the next is asked for.

    Whoever makes the step puts "loss", "lr_multiplier", "grad_norm" and "tokens" into its record. Then, when
    it is time, come the metrics of `validate` and a checkpoint. With `run_dir`, metrics and checkpoints are
    saved there; without, nothing is. `on_step` sees every record.
    """
    begun = time.perf_counter()
    with MetricsLog(run_dir, start_step) as log:
        for step in range(start_step, settings.num_iterations):
            started = time.perf_counter()
            record: dict[str, Any] = {"step": step}
            yield step, record
            record["clipped"] = 0 < settings.grad_clip < record["grad_norm"]
            record["tokens_per_second"] = record["tokens"] / (time.perf_counter() - started)

            # validation
            if is_due(step, settings.eval_every, settings.num_iterations):
                record |= validate()

            # metrics
            record["seconds"] = result.seconds_before + time.perf_counter() - begun
            result.records.append(record)
            log.write(record)
            if on_step is not None:
                on_step(record)

            # checkpoint
            save_every = settings.save_every or settings.num_iterations
            if run_dir is not None and is_due(step, save_every, settings.num_iterations):
                log.sync()
                save_training_state(run_dir, settings, stripes, result)


def get_batch_split(
    settings: TrainingSettings, total_batch_size: int, row_length: int = 1
) -> tuple[int, int]:
    """`(stripes, grad_accum_steps)`: how a step's batch is split into the micro-batches of each process.

    `total_batch_size` is in the unit of which a row has `row_length`. The data are read as `stripes` streams,
    and a process reads one or more. Raises `UserError` if it does not divide.
    """
    _, _, _, world_size = get_dist_info()
    stripes = settings.stripes or world_size
    if stripes % world_size:
        raise UserError(f"stripes ({stripes}) must be a multiple of the number of processes ({world_size})")
    smallest = settings.device_batch_size * row_length * stripes
    if total_batch_size < 1 or total_batch_size % smallest:
        raise UserError(
            f"total_batch_size ({total_batch_size}) must be a multiple of {smallest}: {stripes} stripes of "
            f"{settings.device_batch_size} rows of {row_length}"
        )
    return stripes, total_batch_size // (settings.device_batch_size * row_length * world_size)


def striped_batches(
    make_loader: Callable[..., Iterator[Batch]], stripes: int, skip_micro_batches: int = 0
) -> Iterator[Batch]:
    """Micro-batches of this process.

    `make_loader(rank=, world_size=, skip_batches=)` makes the loader of one stripe of so many. Raises
    `UserError` when the data come to an end.
    """
    _, rank, _, world_size = get_dist_info()
    own_stripes = range(rank, stripes, world_size)
    skip_batches = skip_micro_batches // len(own_stripes)
    # a loader for each stripe
    loaders = [
        make_loader(rank=stripe, world_size=stripes, skip_batches=skip_batches) for stripe in own_stripes
    ]
    # take turns
    for batches in zip(*loaders, strict=False):
        yield from batches
    raise UserError("the data came to an end before the training did")


def average_over_ranks(tensors: Sequence[torch.Tensor]) -> None:
    """Replace each tensor by its mean over all ranks, in one all-reduce. Every rank calls this.

    Does nothing in a single process.
    """
    if not (dist.is_initialized() and dist.get_world_size() > 1):
        return
    # one flat tensor
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    # and back
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def clip_gradients(parameters: Iterable[torch.nn.Parameter], max_norm: float) -> float:
    """Clip to `max_norm` (0: off); returns the norm before. Every rank calls this."""
    parameters = [parameter for parameter in parameters if parameter.grad is not None]
    average_over_ranks([parameter.grad for parameter in parameters if parameter.grad is not None])
    return float(torch.nn.utils.clip_grad_norm_(parameters, max_norm or math.inf))


def set_schedule(
    optimizers: Iterable[torch.optim.Optimizer], lr_multiplier: float, muon_momentum: float | None = None
) -> None:
    """Apply the schedule's values."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * lr_multiplier
            if muon_momentum is not None and "momentum" in group:
                group["momentum"] = muon_momentum


def _communication_device() -> torch.device:
    """The device whose tensors the process group can send."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
