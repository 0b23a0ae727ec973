"""Checkpoints: a folder for each saved step, either complete or not there.

    runs/base/step_000300/
        model.pt        the model's state dict
        training.pt     the optimizers' state dicts and the random number generator's state
        meta.json       what a person may want to read: settings, model shape, losses
        manifest.json   size and SHA-256 of the other three

A checkpoint is written into a temporary folder, flushed to disk and renamed, so a kill at any moment leaves
a whole checkpoint or none. Reading compares every file with the manifest, and an incomplete checkpoint
counts as absent. Tensors are read with `weights_only=True`: a checkpoint holds data and can run no code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from nanochat.common import UserError, print0
from nanochat.gpt import GPT, GPTConfig

DATA_FILES = ("model.pt", "training.pt", "meta.json")
MANIFEST = "manifest.json"
STEP_FOLDER = re.compile(r"step_(\d+)")


class CheckpointError(UserError):
    """A checkpoint that is absent, incomplete or damaged."""


@dataclass
class Checkpoint:
    """What `load_checkpoint` returns. `optimizer_states` and `rng_state` are empty when not asked for."""

    step: int
    model_state: dict[str, torch.Tensor]
    optimizer_states: list[dict[str, Any]]
    rng_state: torch.Tensor | None
    meta: dict[str, Any]


def save_checkpoint(
    checkpoint_dir: Path,
    step: int,
    model_state: Mapping[str, torch.Tensor],
    optimizer_states: Sequence[Mapping[str, Any]],
    meta: Mapping[str, Any],
    rank: int = 0,
    keep: int | None = None,
) -> None:
    """Write one checkpoint, on rank 0 only, and drop the oldest beyond the `keep` newest (None: drop none).

    An earlier checkpoint of the same step is replaced.
    """
    if rank != 0:
        return
    # a folder to write into
    checkpoint_dir.mkdir(parents=True, exist_ok=True)
    for leftover in checkpoint_dir.glob(".tmp_*"):
        shutil.rmtree(leftover)
    temporary = checkpoint_dir / f".tmp_{step:06d}"
    temporary.mkdir()
    # the files
    training = {"optimizers": [dict(state) for state in optimizer_states], "rng": torch.get_rng_state()}
    torch.save(dict(model_state), temporary / "model.pt")
    torch.save(training, temporary / "training.pt")
    (temporary / "meta.json").write_text(json.dumps({**meta, "step": step}, indent=2), encoding="utf-8")
    # the manifest, and all of it to disk
    manifest = {name: _fingerprint(temporary / name) for name in DATA_FILES}
    (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    for name in (*DATA_FILES, MANIFEST):
        _flush(temporary / name)
    # rename
    final = _step_folder(checkpoint_dir, step)
    if final.exists():
        final.rename(checkpoint_dir / f".tmp_replaced_{step:06d}")
    temporary.rename(final)
    _flush(checkpoint_dir)
    for leftover in checkpoint_dir.glob(".tmp_*"):
        shutil.rmtree(leftover)
    # drop the oldest
    if keep is not None:
        for old in list(_step_folders(checkpoint_dir))[keep:]:
            shutil.rmtree(old)


def load_checkpoint(
    checkpoint_dir: Path, step: int, device: torch.device | str = "cpu", *, with_training_state: bool = True
) -> Checkpoint:
    """Read the checkpoint of `step`, its tensors on `device`; raise `CheckpointError` unless it is whole."""
    folder = _step_folder(checkpoint_dir, step)
    problem = _what_is_wrong(folder)
    if problem:
        raise CheckpointError(f"cannot load the checkpoint {folder}: {problem}")
    # model, training, meta
    model_state = torch.load(folder / "model.pt", map_location=device, weights_only=True)
    training: dict[str, Any] = {"optimizers": [], "rng": None}
    if with_training_state:
        training = torch.load(folder / "training.pt", map_location="cpu", weights_only=True)
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Checkpoint(step, model_state, training["optimizers"], training["rng"], meta)


def latest_step(checkpoint_dir: Path) -> int | None:
    """The newest step saved whole in `checkpoint_dir`, or None. Says which incomplete ones it passes over."""
    for folder in _step_folders(checkpoint_dir):
        problem = _what_is_wrong(folder)
        if problem is None:
            return int(folder.name.removeprefix("step_"))
        print0(f"passing over the checkpoint {folder}: {problem}")
    return None


def remove_checkpoints(checkpoint_dir: Path) -> None:
    """Delete every checkpoint in `checkpoint_dir`, for a run that starts again."""
    for folder in list(_step_folders(checkpoint_dir)):
        shutil.rmtree(folder)


def load_model(
    checkpoint_dir: Path, device: torch.device | str = "cpu", step: int | None = None
) -> tuple[GPT, dict[str, Any]]:
    """The model saved at `step` (by default, the newest) and its meta, ready for inference."""
    if step is None:
        step = latest_step(checkpoint_dir)
    if step is None:
        raise CheckpointError(
            f"there is no trained model in {checkpoint_dir}: `python -m scripts.base_train` makes one, "
            "and `python -m scripts.chat_sft` teaches it to chat"
        )
    checkpoint = load_checkpoint(checkpoint_dir, step, device, with_training_state=False)
    model = build_model(checkpoint.meta["model_config"], device)
    model.load_state_dict(checkpoint.model_state)
    model.eval()
    return model, checkpoint.meta


def build_model(config: Mapping[str, Any] | GPTConfig, device: torch.device | str = "cpu") -> GPT:
    """A freshly initialised model on `device`, from a `GPTConfig` or the dictionary a checkpoint keeps."""
    config = config if isinstance(config, GPTConfig) else GPTConfig(**config)
    # build, then initialise on the device
    model = GPT(config)
    model.to(device)
    model.init_weights()
    return model


def build_meta(model: GPT, **entries: Any) -> dict[str, Any]:
    """Meta of a checkpoint."""
    return {"model_config": asdict(model.config), **entries}


def _step_folder(checkpoint_dir: Path, step: int) -> Path:
    return checkpoint_dir / f"step_{step:06d}"


def _step_folders(checkpoint_dir: Path) -> Iterator[Path]:
    """Newest first."""
    if checkpoint_dir.is_dir():
        named = [folder for folder in checkpoint_dir.iterdir() if STEP_FOLDER.fullmatch(folder.name)]
        yield from sorted(named, key=lambda folder: int(folder.name.removeprefix("step_")), reverse=True)


def _what_is_wrong(folder: Path) -> str | None:
    if not folder.is_dir():
        return "it does not exist"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        for name in DATA_FILES:
            path, expected = folder / name, manifest[name]
            if path.stat().st_size != expected["size"] or _fingerprint(path) != expected:
                return f"{name} is not what was saved"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, TypeError):
        return f"{MANIFEST} cannot be read"
    return None


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": path.stat().st_size, "sha256": digest}


def _flush(path: Path) -> None:
    """Ask the operating system to put a file or folder on disk; folders cannot be flushed everywhere."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
