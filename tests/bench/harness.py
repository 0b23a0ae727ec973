"""What the benchmarks of the tree share: its path, the model they measure, and timing in turns."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "nanochat"))

from nanochat.gpt import GPT, GPTConfig

MATMUL_SIZE = 2048


def make_model(sequence_len: int) -> GPT:
    """4 layers, width 256, 4 heads, vocabulary 4096, with random weights everywhere."""
    torch.manual_seed(0)
    config = GPTConfig(
        sequence_len=sequence_len, vocab_size=4096, n_layer=4, n_head=4, n_kv_head=4, n_embd=256
    )
    model = GPT(config)
    model.init_weights()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.02)
    return model


def parse_arguments(description: str | None) -> argparse.Namespace:
    """The flags of every benchmark. Sets the number of threads."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--rounds", type=int, default=10, help="times that each thing is measured")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="count processor time, on one thread: for a machine that is busy with other things",
    )
    arguments = parser.parse_args()
    if arguments.cpu_time:
        arguments.threads = 1
    torch.set_num_threads(arguments.threads)
    kind = "processor time" if arguments.cpu_time else "time"
    print(
        f"torch {torch.__version__}, {arguments.threads} threads; {kind} of the fastest of {arguments.rounds}"
    )
    return arguments


def fastest(tasks: dict[str, Callable[[], object]], arguments: argparse.Namespace) -> dict[str, float]:
    """Seconds of each task's fastest run. The tasks take turns, so that all meet the same machine."""
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    seconds = dict.fromkeys(tasks, float("inf"))
    for task in tasks.values():
        task()
    for _ in range(arguments.rounds):
        for name, task in tasks.items():
            begin = clock()
            task()
            seconds[name] = min(seconds[name], clock() - begin)
    return seconds


def matmul() -> Callable[[], torch.Tensor]:
    """A float32 matrix product large enough to run at the machine's full rate."""
    a, b = torch.randn(2, MATMUL_SIZE, MATMUL_SIZE)
    return lambda: a @ b


def matmul_rate(seconds: float) -> float:
    """Floating-point operations per second of that product."""
    return 2 * MATMUL_SIZE**3 / seconds
