from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import torch
from nanochat.common import (
    TREE_ROOT,
    Progress,
    UserError,
    compute_cleanup,
    compute_init,
    get_base_dir,
    get_dist_info,
    parse_settings,
    print0,
    run_script,
    setting,
)


@dataclass
class Settings:
    """Do a thing."""

    depth: int = setting(4, "blocks, 100% of them")
    matrix_lr: float = setting(0.02, "learning rate")
    compile: bool = setting(True, "compile the model")
    data_dir: str | None = setting(None, "folder")
    steps: int | None = setting(7, "steps")
    mode: Literal["fast", "slow"] = setting("fast", "how")

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError("--depth must be 1 or more")


def test_settings_without_flags_are_the_defaults() -> None:
    assert parse_settings(Settings, []) == Settings()


def test_settings_are_read_with_their_types() -> None:
    argv = [
        "--depth=2",
        "--matrix_lr",
        "1e-3",
        "--no-compile",
        "--data-dir",
        "x",
        "--mode",
        "slow",
    ]
    settings = parse_settings(Settings, argv)
    assert settings == Settings(2, 1e-3, False, "x", 7, "slow")


def test_a_setting_that_may_be_none_takes_the_word_none() -> None:
    assert parse_settings(Settings, ["--steps", "none"]).steps is None


def test_settings_come_from_the_program_when_no_argv_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["script", "--depth", "9"])
    assert parse_settings(Settings).depth == 9


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--depth", "four"], "'four' is not a whole number"),
        (["--matrix-lr=fast"], "'fast' is not a number"),
        (["--depth", "0"], "--depth must be 1 or more"),
        (["--mode", "medium"], "'medium' is none of fast, slow"),
        (["--dept", "3"], "--dept"),
        (["--depth", "none"], "'none' is not a whole number"),
    ],
)
def test_wrong_flags_end_with_status_2_and_a_sentence(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        parse_settings(Settings, argv)
    assert exit.value.code == 2
    assert said in capsys.readouterr().err


def test_help_has_every_flag_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        parse_settings(Settings, ["--help"])
    assert exit.value.code == 0
    shown = capsys.readouterr().out
    for expected in (
        "Do a thing.",
        "100% of them (default: 4)",
        "--no-compile",
        "(default: none)",
        "{fast,slow}",
    ):
        assert expected in shown


def test_base_dir_is_made_where_the_environment_says(tmp_path: Path) -> None:
    assert get_base_dir() == tmp_path / "base"
    assert (tmp_path / "base").is_dir()


def test_base_dir_is_in_the_tree_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NANOCHAT_BASE_DIR")
    monkeypatch.setattr("nanochat.common.TREE_ROOT", tmp_path)
    assert get_base_dir() == tmp_path / "runs"


def test_base_dir_that_cannot_be_made_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path / "file" / "base"))
    with pytest.raises(UserError, match="set NANOCHAT_BASE_DIR"):
        get_base_dir()


def test_dist_info_reads_torchruns_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_dist_info() == (False, 0, 0, 1)
    for name, value in {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    assert get_dist_info() == (True, 3, 1, 4)


@pytest.mark.parametrize("rank", ["4", "-1", "first"])
def test_dist_info_refuses_a_rank_that_does_not_fit(rank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": rank, "LOCAL_RANK": "0", "WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="RANK"):
        get_dist_info()


def test_print0_prints_on_the_first_rank_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print0("one")
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    print0("two")
    assert capsys.readouterr().out == "one\n"


def test_compute_init_seeds_and_gives_a_cpu_device() -> None:
    ddp, rank, local_rank, world_size, device = compute_init("cpu")
    first = torch.rand(3)
    assert (ddp, rank, local_rank, world_size, device) == (False, 0, 0, 1, torch.device("cpu"))
    compute_init("cpu")
    assert torch.equal(first, torch.rand(3))
    compute_cleanup()


def test_compute_init_refuses_devices_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="choose cpu"):
        compute_init("cuda")
    with pytest.raises(UserError, match="unknown device 'gpu'"):
        compute_init("gpu")


def test_compute_init_joins_the_process_group_of_torchrun(tmp_path: Path) -> None:
    script = tmp_path / "join.py"
    script.write_text(
        "import torch\n"
        "import torch.distributed as dist\n"
        "from nanochat.common import compute_cleanup, compute_init, print0\n"
        "_, rank, _, world_size, device = compute_init('cpu')\n"
        "total = torch.tensor([rank + 1])\n"
        "dist.all_reduce(total)\n"
        "print0(world_size, total.item(), device)\n"
        "compute_cleanup()\n"
        "assert not dist.is_initialized()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(TREE_ROOT), "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(script),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2 3 cpu"


def test_an_expected_error_is_one_line_and_status_1(tmp_path: Path) -> None:
    code = "from nanochat.common import UserError, run_script\n"
    code += "def main(): raise UserError('no data: fetch some')\nrun_script(main)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TREE_ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: no data: fetch some\n")


def test_an_interrupted_script_has_status_130(capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as exit:
        run_script(main)
    assert exit.value.code == 130


def test_an_unexpected_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_script(lambda: 1 / 0)


def test_progress_off_a_terminal_is_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(total=4, unit="tokens", title="training", seconds_between_lines=0) as progress:
        progress.update(1, loss=3.25)
        progress.update(3, loss=2.5, step="[2]")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("training: 25% | 0:00 left | ") and lines[0].endswith(" tokens/s | loss 3.25")
    assert lines[1].startswith("training: 100% | 0:00 | ") and lines[1].endswith(" | loss 2.5 | step [2]")


def test_progress_says_its_last_state_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(total=None, unit="files", seconds_between_lines=1e9) as progress:
        for _ in range(3):
            progress.update()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("3 files | ")


def test_progress_on_a_terminal_is_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with Progress(total=2, unit="steps", title="[training]") as progress:
        progress.update(2, loss=1.5)
    shown = capsys.readouterr().out
    assert "[training]" in shown and "100%" in shown and "loss 1.5" in shown


def test_progress_is_silent_on_other_ranks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with Progress(total=1, seconds_between_lines=0) as progress:
        progress.update(1)
    assert capsys.readouterr().out == ""


def test_importing_the_shared_base_loads_neither_torch_nor_rich() -> None:
    code = "import sys, nanochat.common, nanochat.tokenizer, nanochat.dataset\n"
    code += "print({'torch', 'rich', 'rustbpe', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TREE_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
