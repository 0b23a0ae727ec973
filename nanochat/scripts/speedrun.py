"""From nothing to a model that answers: tokenizer, pretraining, fine-tuning, evaluation and a report.

    python -m scripts.speedrun                  # minutes on a laptop's CPU
    python -m scripts.speedrun --scale hours    # a longer recipe

Then open runs/report/report.html, and talk to the model: `python -m scripts.chat_cli`.

Each stage is a script with the recipe's flags. A run that was stopped, by whatever means, goes on from its
last checkpoint when the same command is given again, and ends with the same result.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from nanochat.chat import complete, load_engine
from nanochat.checkpoint_manager import latest_step, load_checkpoint
from nanochat.common import UserError, get_base_dir, parse_settings, print0, run_script, setting
from nanochat.report import Block, Chart, Dialog, Heading, Table, Text, smooth, write_report
from nanochat.training import read_metrics

from scripts import base_train, chat_eval, chat_sft, tok_train

STATE_FILE = "speedrun.json"

# The flags of each stage.
RECIPES: dict[str, dict[str, str]] = {
    "minutes": {
        "tokenizer": "--vocab-size 512",
        "pretraining": "--depth 4 --n-embd 128 --n-head 4 --num-iterations 200",
        "fine-tuning": "--num-iterations 900 --total-batch-size 64 --device-batch-size 16",
        "evaluation": "",
    },
    "hours": {
        "tokenizer": "--vocab-size 2048",
        "pretraining": "--depth 6 --sequence-len 512 --num-iterations 600 --total-batch-size 16384",
        "fine-tuning": "--num-iterations 2000 --total-batch-size 128 --device-batch-size 16",
        "evaluation": "",
    },
    "gpu": {
        "tokenizer": "--vocab-size 8192",
        "pretraining": (
            "--depth 12 --sequence-len 1024 --num-iterations 3000 --device-batch-size 32 "
            "--total-batch-size 131072 --eval-tokens 524288"
        ),
        "fine-tuning": "--num-iterations 2000 --total-batch-size 256 --device-batch-size 256",
        "evaluation": "",
    },
}

QUESTIONS = [
    "Who are you?",
    "What is 47 times 13?",
    "Divide 22 by 71 to 4 decimal places.",
    'How do you spell "keyboard"?',
    'How many "r" are in "strawberry"?',
    "Thank you!",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Run every stage from the tokenizer to the report."""

    scale: Literal["minutes", "hours", "gpu"] = setting("minutes", "the recipe")
    overwrite: bool = setting(False, "delete the models in runs/base and runs/sft first")
    device: str = setting("auto", "cuda, mps, cpu, or auto for the best there is")


def load_state(base_dir: Path, settings: Settings) -> dict[str, Any]:
    """What is done of the speedrun in `base_dir`: its recipe, and how many seconds each finished stage took.

    Raises `UserError` if the folder holds something that is not a part of it.
    """
    path = base_dir / STATE_FILE
    fresh = {"scale": settings.scale, "recipe": RECIPES[settings.scale], "seconds": {}, "commands": {}}
    # start again
    if settings.overwrite:
        path.unlink(missing_ok=True)
        for name in ("tokenizer", "base", "sft"):
            shutil.rmtree(base_dir / name, ignore_errors=True)
    # a new one
    if not path.exists():
        for name in ("base", "sft"):
            if latest_step(base_dir / name) is not None:
                raise UserError(
                    f"{base_dir / name} holds a model that is not of a speedrun: --overwrite deletes it, "
                    "or set NANOCHAT_BASE_DIR to another folder"
                )
        save_state(base_dir, fresh)
        return fresh
    # one to go on with
    state = json.loads(path.read_text(encoding="utf-8"))
    if state["recipe"] != fresh["recipe"]:
        raise UserError(
            f"{base_dir} holds a speedrun of another recipe ({state['scale']}): --overwrite deletes it, "
            "or set NANOCHAT_BASE_DIR to another folder"
        )
    return state


def save_state(base_dir: Path, state: dict[str, Any]) -> None:
    temporary = base_dir / (STATE_FILE + ".tmp")
    temporary.write_text(json.dumps(state, indent=2), encoding="utf-8")
    temporary.replace(base_dir / STATE_FILE)


def commands(settings: Settings) -> dict[str, tuple[str, Callable[[Sequence[str]], object], list[str]]]:
    """The script of each stage, by name and as a function, and the flags it gets."""
    flags = {stage: text.split() for stage, text in RECIPES[settings.scale].items()}
    device = ["--device", settings.device]
    return {
        "tokenizer": ("tok_train", tok_train.main, flags["tokenizer"]),
        "pretraining": ("base_train", base_train.main, [*flags["pretraining"], *device, "--resume"]),
        "fine-tuning": ("chat_sft", chat_sft.main, [*flags["fine-tuning"], *device, "--resume"]),
        "evaluation": ("chat_eval", chat_eval.main, [*flags["evaluation"], *device]),
    }


def run_stages(base_dir: Path, settings: Settings) -> dict[str, Any]:
    """Run what is not done yet, and return the state."""
    state = load_state(base_dir, settings)
    for name, (script, main_of_stage, flags) in commands(settings).items():
        if name in state["seconds"]:
            print0(f"{name}: done before, in {state['seconds'][name]:.0f} s")
            continue
        command = " ".join([f"python -m scripts.{script}", *flags])
        print0(f"{name}: {command}")
        # run the stage, then note it
        started = time.monotonic()
        main_of_stage(flags)
        state["seconds"][name] = max(time.monotonic() - started, seconds_of_run(base_dir, name))
        state["commands"][name] = command
        save_state(base_dir, state)
    return state


def seconds_of_run(base_dir: Path, stage: str) -> float:
    """How long a training stage took according to its metrics: all of a run that was stopped and resumed."""
    name = {"pretraining": "base", "fine-tuning": "sft"}.get(stage)
    records = read_metrics(base_dir / name) if name else []
    return records[-1]["seconds"] if records else 0.0


def matmul_rate(size: int = 1024, repeats: int = 10) -> float:
    """Floating-point operations per second of float32 matrix multiplication on the CPU, the best of a few."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def sample_dialogs(base_dir: Path) -> list[Dialog]:
    """The model's answers to a few questions."""
    engine, _ = load_engine(base_dir / "sft")
    return [
        Dialog(question, complete(engine, {"messages": [{"role": "user", "content": question}]}).parts)
        for question in QUESTIONS
    ]


def curves(metrics: dict[str, list[dict[str, Any]]]) -> list[Block]:
    """Loss, learning rate and gradient norm of both trainings."""
    charts: list[Block] = []
    for stage, records in metrics.items():
        slug = stage.replace("-", "_")
        points = {
            key: [(record["step"] + 1, record[key]) for record in records if key in record]
            for key in ("loss", "lr_multiplier", "grad_norm", "val_bpb", "val_loss")
        }
        # loss
        window = max(1, len(records) // 100)
        losses = {"training": smooth(points["loss"], window)}
        if points["val_loss"]:
            losses["validation"] = points["val_loss"]
        is_log = all(loss > 0 for _, loss in points["loss"])
        charts.append(Heading(stage.capitalize()))
        charts.append(Chart(f"{slug}_loss", "Loss (nats per token)", "step", losses, log_y=is_log))
        if points["val_bpb"]:
            bits = {"bits per byte": points["val_bpb"]}
            charts.append(Chart(f"{slug}_bpb", "Validation, bits per byte", "step", bits))
        # learning rate and gradient norm
        rates = {"multiplier": points["lr_multiplier"]}
        charts.append(Chart(f"{slug}_lr", "Learning rate, as a share of the highest", "step", rates))
        norms = {"norm": smooth(points["grad_norm"], window)}
        charts.append(Chart(f"{slug}_grad_norm", "Gradient norm before clipping", "step", norms))
        clipped = sum(record["clipped"] for record in records) / len(records)
        charts.append(Text(f"Clipping bit in {clipped:.0%} of the steps."))
    return charts


def make_report(base_dir: Path, state: dict[str, Any]) -> tuple[Path, Path]:
    """Write the report into `base_dir/report`."""
    metrics = {"pretraining": read_metrics(base_dir / "base"), "fine-tuning": read_metrics(base_dir / "sft")}
    step = latest_step(base_dir / "base")
    assert step is not None, "the stages have just made it"
    meta = load_checkpoint(base_dir / "base", step, with_training_state=False).meta
    engine, _ = load_engine(base_dir / "sft")
    evaluation = json.loads((base_dir / "sft" / chat_eval.RESULTS_FILE).read_text(encoding="utf-8"))
    # results of the evaluation
    suites = [chat_eval.SuiteResult(**suite) for suite in evaluation["suites"]]

    # the page
    seconds = state["seconds"]
    tokens = {stage: sum(record["tokens"] for record in records) for stage, records in metrics.items()}
    config = [(key, f"{value:,}") for key, value in meta["model_config"].items()]
    blocks: list[Block] = [
        Text(f"The recipe for {state['scale']}, from nothing to a model that answers."),
        Heading("Results"),
        Table(
            ["suite", "right", "of", "share", "malformed", "tool calls"],
            [
                [
                    suite.name,
                    str(suite.correct),
                    str(suite.total),
                    f"{suite.accuracy:.1%}",
                    str(suite.malformed),
                    str(suite.tool_calls),
                ]
                for suite in suites
            ],
        ),
        Text(
            "Operands and words were held out of all training, and so were the phrasings of the suites that "
            "say so. A malformed turn does not end, or breaks the format of tool calls."
        ),
        Text(f"The pretrained model: {meta['last']['val_bpb']:.3f} bits per byte on held-out text."),
        Heading("Conversations"),
        *sample_dialogs(base_dir),
        Heading("Time"),
        Table(
            ["stage", "seconds", "tokens", "tokens per second"],
            [
                [
                    stage,
                    f"{seconds[stage]:,.0f}",
                    f"{tokens[stage]:,}" if stage in tokens else "",
                    f"{tokens[stage] / seconds[stage]:,.0f}" if stage in tokens else "",
                ]
                for stage in seconds
            ]
            + [["all", f"{sum(seconds.values()):,.0f}", "", ""]],
        ),
        *curves(metrics),
        Heading("Configuration"),
        Table(["model", "value"], [*config, ("parameters", f"{engine.model.num_parameters:,}")]),
        Table(["stage", "command"], [list(item) for item in state["commands"].items()]),
        Heading("Machine"),
        Table(
            ["what", "value"],
            [
                ["system", f"{platform.system()} {platform.machine()}"],
                ["CPU cores", str(os.cpu_count())],
                ["threads used by torch", str(torch.get_num_threads())],
                ["float32 matrix multiplication", f"{matmul_rate() / 1e9:.0f} GFLOP/s"],
                ["Python", platform.python_version()],
                ["torch", torch.__version__],
            ],
        ),
    ]
    return write_report(base_dir / "report", "nanochat: a speedrun", blocks)


def main(argv: Sequence[str] | None = None) -> None:
    settings = parse_settings(Settings, argv)
    base_dir = get_base_dir()
    state = run_stages(base_dir, settings)
    _, page = make_report(base_dir, state)
    total = sum(state["seconds"].values())
    print0(f"all done, in {total / 60:.1f} minutes: open {page}, or talk to it: python -m scripts.chat_cli")


if __name__ == "__main__":
    run_script(main)
