"""Several processes: the same losses as one, state that moves between them, and no hang when one dies."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_training
import torch
from nanochat.checkpoint_manager import build_meta, load_model, save_checkpoint
from nanochat.training import read_metrics
from scripts import base_train, chat_sft

pytestmark = pytest.mark.few(3, together=True)

TREE = Path(__file__).resolve().parents[2] / "nanochat"

BASE = base_train.Settings(
    depth=2,
    n_embd=32,
    n_head=2,
    sequence_len=32,
    device_batch_size=2,
    total_batch_size=512,
    num_iterations=20,
    warmup_ratio=0.1,
    save_every=10,
    eval_every=10,
    eval_tokens=1024,
    keep=100,
    device="cpu",
)


def torchrun(processes: int, base_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = {
        **os.environ,
        "NANOCHAT_BASE_DIR": str(base_dir),
        "PYTHONPATH": str(TREE),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [*command, *arguments], cwd=TREE, env=environment, capture_output=True, text=True, timeout=550
    )


def flags(settings: object) -> list[str]:
    """The command line that makes these settings."""
    arguments = []
    for name, value in vars(settings).items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            arguments += [flag] if value else []
        else:
            arguments += [flag, str(value).lower()]
    return arguments


@pytest.fixture
def base_dir(tmp_path: Path) -> Path:
    tiny_training.byte_tokenizer().save(tmp_path / "base" / "tokenizer")
    return tmp_path / "base"


def pretrain(processes: int, base_dir: Path, settings: base_train.Settings) -> list[dict]:
    """A run by the script in several processes: its metrics."""
    finished = torchrun(processes, base_dir, "-m", "scripts.base_train", *flags(settings))
    assert finished.returncode == 0, finished.stderr
    return read_metrics(base_dir / settings.name)


def check_same_curve(one: list[dict], other: list[dict], tolerance: float = 1e-4) -> None:
    assert len(one) == len(other) > 0
    for a, b in zip(one, other, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=tolerance), a["step"]
        assert a["grad_norm"] == pytest.approx(b["grad_norm"], rel=0.01), a["step"]
        assert a.get("val_bpb") == pytest.approx(b.get("val_bpb"), abs=tolerance), a["step"]


def test_two_processes_follow_one_and_their_state_moves_to_one(base_dir: Path) -> None:
    many = pretrain(2, base_dir, replace(BASE, name="two"))
    assert many[-1]["loss"] < many[0]["loss"] - 1
    one = base_train.train(replace(BASE, stripes=2))
    check_same_curve(one.records, many)

    # What two processes saved, moments and momentum included, goes on in one.
    resumed = base_train.train(replace(BASE, stripes=2), run_dir=base_dir / "two", start_step=10)
    check_same_curve(resumed.records, many[10:])


@pytest.mark.soak
@pytest.mark.parametrize("processes", [2, 4])
def test_many_processes_follow_one_for_200_steps(base_dir: Path, processes: int) -> None:
    settings = replace(BASE, num_iterations=200, save_every=100, eval_every=50)
    one = base_train.train(replace(settings, stripes=processes))
    check_same_curve(one.records, pretrain(processes, base_dir, replace(settings, name="many")))


def test_one_process_s_state_moves_to_several(base_dir: Path) -> None:
    settings = replace(BASE, name="one", stripes=4)
    whole = base_train.train(settings, run_dir=base_dir / "one").records
    for processes in (4, 2):
        shutil.rmtree(base_dir / "one" / "step_000020")
        resumed = pretrain(processes, base_dir, replace(settings, resume=True))
        check_same_curve(resumed, whole)


def test_resuming_in_two_processes_is_exact(base_dir: Path) -> None:
    whole = pretrain(2, base_dir, replace(BASE, name="whole"))
    pretrain(2, base_dir, replace(BASE, name="stopped"))
    last = base_dir / "stopped" / "step_000020"
    (last / "model.pt").write_bytes(b"cut short")
    resumed = pretrain(2, base_dir, replace(BASE, name="stopped", resume=True))
    assert [record["loss"] for record in resumed] == [record["loss"] for record in whole]
    weights = [load_model(base_dir / run)[0].state_dict() for run in ("whole", "stopped")]
    for name, weight in weights[0].items():
        assert torch.equal(weight, weights[1][name]), name


def test_fine_tuning_in_two_processes_follows_one(base_dir: Path) -> None:
    model = tiny_training.random_model(n_layer=2)
    save_checkpoint(base_dir / "base", 1, model.state_dict(), [], build_meta(model))
    settings = chat_sft.Settings(
        num_iterations=20,
        device_batch_size=2,
        total_batch_size=8,
        eval_every=10,
        eval_conversations=16,
        device="cpu",
    )
    finished = torchrun(2, base_dir, "-m", "scripts.chat_sft", *flags(settings))
    assert finished.returncode == 0, finished.stderr
    one = chat_sft.train(
        replace(settings, stripes=2), model=model, tokenizer=tiny_training.byte_tokenizer(), run_dir=None
    )
    many = read_metrics(base_dir / "sft")
    assert len(many) == 20
    for a, b in zip(one.records, many, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], abs=1e-3), a["step"]
        assert a["trained_tokens"] == b["trained_tokens"]
        assert a.get("val_loss") == pytest.approx(b.get("val_loss"), abs=1e-3)


def test_evaluation_is_the_same_in_two_processes(base_dir: Path) -> None:
    model = tiny_training.random_model()
    save_checkpoint(base_dir / "sft", 1, model.state_dict(), [], build_meta(model))
    arguments = ("-m", "scripts.chat_eval", "--device", "cpu", "--max-problems", "7", "--max-tokens", "12")
    reports = []
    for processes in (1, 2):
        finished = torchrun(processes, base_dir, *arguments)
        assert finished.returncode == 0, finished.stderr
        reports.append([line.split("  ") for line in finished.stdout.splitlines() if "/7" in line])
    assert len(reports[0]) == 8
    assert reports[0] == reports[1]


def test_a_rank_that_dies_ends_the_job_with_its_traceback(base_dir: Path, tmp_path: Path) -> None:
    script = tmp_path / "dies.py"
    script.write_text(
        "from dataclasses import replace\n"
        "from nanochat.common import compute_init, get_dist_info\n"
        "from scripts.base_train import Settings, train\n"
        "compute_init('cpu')\n"
        "def die(record):\n"
        "    if record['step'] == 3 and get_dist_info()[1] == 1:\n"
        "        raise ArithmeticError('the second rank is ill')\n"
        "train(Settings(depth=1, sequence_len=32, device_batch_size=2, total_batch_size=128, eval_every=0), "
        "on_step=die)\n"
    )
    finished = torchrun(2, base_dir, str(script))
    assert finished.returncode != 0
    assert "ArithmeticError: the second rank is ill" in finished.stderr
