"""Evaluate a pretrained model: bits per byte on both splits, and what it writes.

python -m scripts.base_eval
python -m scripts.base_eval --prompt "def main(" --num-samples 3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nanochat.chat import load_engine
from nanochat.common import (
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
from nanochat.engine import Engine
from nanochat.gpt import GPT
from nanochat.loss_eval import evaluate_bpb
from nanochat.tokenizer import RustBPETokenizer, get_token_bytes

PROMPTS = ["def __init__(self", "import ", "The return value is", "class Error", "# "]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Evaluate a pretrained model."""

    name: str = setting("base", "name of the run to evaluate: its folder below the base folder")
    device: str = setting("auto", "cuda, mps, cpu, or auto for the best there is")
    eval_tokens: int = setting(131072, "tokens of each split to measure bits per byte on")
    device_batch_size: int = setting(8, "rows of a batch")
    prompt: str | None = setting(None, "continue this instead of a few prompts of its own")
    num_samples: int = setting(1, "continuations of each prompt")
    max_tokens: int = setting(48, "length of a continuation, in tokens")
    temperature: float = setting(0.7, "0 always takes the likeliest token, 1 draws as the model believes")
    top_k: int | None = setting(50, "draw from so many likeliest tokens only")
    seed: int = setting(42, "of the drawing")


def bits_per_byte(model: GPT, tokenizer: RustBPETokenizer, split: str, settings: Settings) -> float:
    """Bits per byte on the first `eval_tokens` of a split, shared among the processes."""
    # this process's share of the split
    _, _, _, world_size = get_dist_info()
    device = model.get_device()
    B, T = settings.device_batch_size, model.config.sequence_len
    batches = tokenizing_distributed_data_loader(B, T, split, device=device, tokenizer=tokenizer)
    steps = max(1, settings.eval_tokens // (B * T * world_size))
    return evaluate_bpb(model, batches, steps, get_token_bytes(tokenizer, device))


def samples(engine: Engine, prompt: str, settings: Settings) -> list[str]:
    """Continuations of a prompt, the prompt in front."""
    # a row for each sample
    bos = engine.tokenizer.get_bos_token_id()
    rows, _ = engine.generate_batch(
        engine.tokenizer.encode(prompt, prepend=bos),
        settings.num_samples,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        top_k=settings.top_k,
        seed=settings.seed,
    )
    return [engine.tokenizer.decode(row[1:]) for row in rows]


def main(argv: Sequence[str] | None = None) -> None:
    settings = parse_settings(Settings, argv)
    device_type = autodetect_device_type() if settings.device == "auto" else settings.device
    *_, device = compute_init(device_type)
    try:
        engine, meta = load_engine(get_base_dir() / settings.name, device)
        print0(f"{settings.name}, step {meta['step']}: {engine.model.num_parameters:,} parameters")
        # bits per byte
        for split in ("train", "val"):
            bpb = bits_per_byte(engine.model, engine.tokenizer, split, settings)
            print0(f"{split:>5}: {bpb:.4f} bits per byte")
        # samples
        for prompt in PROMPTS if settings.prompt is None else [settings.prompt]:
            for text in samples(engine, prompt, settings):
                print0("-" * 40)
                print0(text)
    finally:
        compute_cleanup()


if __name__ == "__main__":
    run_script(main)
