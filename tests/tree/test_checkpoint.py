"""Checkpoints: what is saved comes back, and what was saved by half is never loaded."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import tiny_training
import torch
from nanochat.checkpoint_manager import (
    CheckpointError,
    build_meta,
    latest_step,
    load_checkpoint,
    load_model,
    save_checkpoint,
)
from nanochat.gpt import GPT

from nanochat import checkpoint_manager

FILES = ("model.pt", "training.pt", "meta.json", "manifest.json")


def save(folder: Path, step: int, seed: int = 0, **options: object) -> GPT:
    model = tiny_training.random_model(seed)
    optimizers = model.setup_optimizers()
    model(torch.ones(1, 4, dtype=torch.long), torch.ones(1, 4, dtype=torch.long)).backward()
    for optimizer in optimizers:
        optimizer.step()
    states = [optimizer.state_dict() for optimizer in optimizers]
    save_checkpoint(folder, step, model.state_dict(), states, build_meta(model, note="hello"), **options)
    return model


def same_weights(one: GPT, other: GPT) -> bool:
    weights = other.state_dict()
    return all(torch.equal(weight, weights[name]) for name, weight in one.state_dict().items())


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    model = save(tmp_path, 7)
    torch.rand(3)
    loaded = load_checkpoint(tmp_path, 7)
    assert loaded.step == loaded.meta["step"] == 7
    assert loaded.meta["note"] == "hello"
    assert set(loaded.model_state) == set(model.state_dict())
    fresh = tiny_training.random_model(1)
    fresh.load_state_dict(loaded.model_state)
    assert same_weights(fresh, model)
    optimizers = fresh.setup_optimizers()
    for optimizer, state in zip(optimizers, loaded.optimizer_states, strict=True):
        optimizer.load_state_dict(state)
        assert optimizer.state_dict()["state"].keys() == state["state"].keys()
        assert state["state"]


def test_the_random_numbers_go_on(tmp_path: Path) -> None:
    save(tmp_path, 1)
    expected = torch.rand(3)
    torch.set_rng_state(load_checkpoint(tmp_path, 1).rng_state)
    assert torch.equal(torch.rand(3), expected)


def test_a_model_is_rebuilt_from_its_checkpoint_alone(tmp_path: Path) -> None:
    save(tmp_path, 1, seed=1)
    model = save(tmp_path, 2, seed=2)
    loaded, meta = load_model(tmp_path)
    assert meta["step"] == 2
    assert loaded.config == model.config
    assert same_weights(loaded, model)
    assert not same_weights(load_model(tmp_path, step=1)[0], model)


def test_the_newest_step_counts_as_a_number(tmp_path: Path) -> None:
    for step in (999_999, 1_000_000, 20):
        save(tmp_path, step)
    assert latest_step(tmp_path) == 1_000_000


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save(tmp_path, step, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000020", "step_000030"]


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    save(tmp_path / "run", 10, rank=1)
    assert not (tmp_path / "run").exists()


def test_a_step_saved_again_replaces_the_first(tmp_path: Path) -> None:
    save(tmp_path, 5, seed=1)
    model = save(tmp_path, 5, seed=2)
    assert [path.name for path in tmp_path.iterdir()] == ["step_000005"]
    assert same_weights(load_model(tmp_path)[0], model)


@pytest.mark.parametrize("missing", FILES)
def test_a_checkpoint_that_lacks_a_file_is_passed_over(tmp_path: Path, missing: str) -> None:
    save(tmp_path, 10)
    save(tmp_path, 20)
    (tmp_path / "step_000020" / missing).unlink()
    assert latest_step(tmp_path) == 10
    with pytest.raises(CheckpointError, match=missing):
        load_checkpoint(tmp_path, 20)


@pytest.mark.parametrize("damaged", FILES)
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, damaged: str, damage: str) -> None:
    save(tmp_path, 10)
    save(tmp_path, 20)
    path = tmp_path / "step_000020" / damaged
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    if damage == "cut":
        del content[middle:]
    else:
        content[middle] ^= 1
    path.write_bytes(content)
    assert latest_step(tmp_path) == 10
    with pytest.raises(CheckpointError, match="cannot load"):
        load_checkpoint(tmp_path, 20)


class Killed(BaseException):
    """Stands for a kill: nothing of the program runs after it."""


@pytest.mark.parametrize("survived_calls", range(12))
def test_a_kill_while_saving_leaves_the_old_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived_calls: int
) -> None:
    """Whichever write, flush or rename is the last one, the run goes on from a whole checkpoint."""
    save(tmp_path, 10)
    calls = 0

    def killing(function):
        def wrapped(*arguments: object, **options: object) -> object:
            nonlocal calls
            if calls == survived_calls:
                raise Killed
            calls += 1
            return function(*arguments, **options)

        return wrapped

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", killing(torch.save))
        patch.setattr(Path, "write_text", killing(Path.write_text))
        patch.setattr(Path, "mkdir", killing(Path.mkdir))
        patch.setattr(Path, "rename", killing(Path.rename))
        patch.setattr(checkpoint_manager.os, "fsync", killing(os.fsync))
        try:
            save(tmp_path, 20)
            killed = False
        except Killed:
            killed = True
    assert killed or survived_calls >= calls
    step = latest_step(tmp_path)
    assert step in (10, 20)
    load_model(tmp_path, step=step)
    save(tmp_path, 20)
    assert latest_step(tmp_path) == 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step_000010", "step_000020"]


def test_no_checkpoint_says_what_makes_one(tmp_path: Path) -> None:
    assert latest_step(tmp_path / "nowhere") is None
    with pytest.raises(CheckpointError, match=r"python -m scripts\.base_train"):
        load_model(tmp_path / "nowhere")


def test_a_checkpoint_can_run_no_code(tmp_path: Path) -> None:
    """A pickle that would create a file, put into a checkpoint with a manifest that fits, is refused."""
    save(tmp_path, 10)
    folder = tmp_path / "step_000010"
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (trap,)

    original = folder / "model.pt"
    rewritten = folder / "rewritten.pt"
    with zipfile.ZipFile(original) as source, zipfile.ZipFile(rewritten, "w") as target:
        for name in source.namelist():
            content = pickle.dumps(Trap(), protocol=2) if name.endswith("data.pkl") else source.read(name)
            target.writestr(name, content)
    shutil.move(rewritten, original)
    manifest = {
        name: checkpoint_manager._fingerprint(folder / name) for name in checkpoint_manager.DATA_FILES
    }
    (folder / "manifest.json").write_text(checkpoint_manager.json.dumps(manifest))
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(tmp_path, 10)
    assert not trap.exists()
