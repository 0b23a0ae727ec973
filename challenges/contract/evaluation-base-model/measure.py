"""`scripts.base_eval` in-process: settings, how much of which split it reads, what it asks of the engine."""

from bughunt.lab.measuring.plans import draw_ids
from bughunt.lab.measuring.weights import draw_weights

VOCABULARY, WIDTH, T = 200, 8, 6
SETTINGS = ("name", "device", "eval_tokens", "device_batch_size", "prompt", "num_samples")
SETTINGS += ("max_tokens", "temperature", "top_k", "seed")


def draw(rng):
    """Weights, ids of characters, batches of each split, what is to be written."""
    batches = {
        split: [[[rng.randrange(VOCABULARY) for _ in range(T)] for _ in range(4)] for _ in range(9)]
        for split in ("train", "val")
    }
    return {
        "weights": draw_weights(rng, 1, WIDTH, VOCABULARY, attention=False),
        "ids": draw_ids(rng, VOCABULARY),
        "batches": batches,
        "prompt": "".join(rng.choices("abc ", k=6)),
        "continuations": ["".join(rng.choices("defg", k=size)) for size in (7, 3, 5)],
        "seed": rng.randrange(1, 1000),
    }


def measure(inputs):
    """Defaults, bits per byte of several sizes, samples, and what the script prints of both."""
    from bughunt.lab.measuring.fresh import freshly_imported

    with freshly_imported("scripts.base_eval"):
        return evaluate(inputs)


def evaluate(inputs):
    """Everything, with a loader, lengths of tokens and an engine that are given to the script."""
    import torch
    from nanochat.common import get_dist_info
    from scripts import base_eval

    from bughunt.lab.measuring.models import load_weights, make_model
    from bughunt.lab.measuring.replacing import replaced
    from bughunt.lab.measuring.scripted_engine import ScriptedEngine
    from bughunt.lab.measuring.tokenizers import CharacterTokenizer
    from nanochat import dataloader
    from nanochat import tokenizer as tokenizers

    read = []

    def loader(
        B, T, split, *_, device="cpu", documents=None, tokenizer=None, rank=None, world_size=None, **__
    ):
        read.append([B, T, split, str(device), documents is None, tokenizer is own])
        _, default_rank, _, processes = get_dist_info()
        mine = default_rank if rank is None else rank
        for rows in inputs["batches"][split][mine :: processes if world_size is None else world_size]:
            ids = torch.tensor(rows[:B])
            yield ids.int(), ids.roll(1, dims=1)

    def get_token_bytes(tokenizer=None, device="cpu"):
        read.append(["lengths of tokens", tokenizer is own])
        return torch.arange(VOCABULARY, dtype=torch.int32, device=device) % 5

    own = CharacterTokenizer(inputs["ids"])
    end = own.encode_special("<|assistant_end|>")
    model = make_model(sequence_len=T, vocab_size=VOCABULARY, n_head=2, n_embd=WIDTH)
    load_weights(model, inputs["weights"])
    said = [own.encode(text) for text in inputs["continuations"]]
    engine = ScriptedEngine(model, own, lambda _: said, end)
    with (
        replaced(dataloader, tokenizing_distributed_data_loader=loader),
        replaced(tokenizers, get_token_bytes=get_token_bytes),
    ):
        return answers_of(base_eval, engine, read, inputs)


def answers_of(base_eval, engine, read, inputs):
    """What the script's functions give, and the script itself, once all that they use is put in place."""
    from bughunt.lab.measuring.leaving import left_its_group
    from bughunt.lab.measuring.ranks import one_of

    model, own = engine.model, engine.tokenizer
    plain = base_eval.Settings()
    data = {"defaults": {name: getattr(plain, name) for name in SETTINGS}}
    # bits per byte
    data["bits per byte"] = {}
    for split, tokens, rows, among in (
        ("train", 48, 2, (1, 0)),
        ("val", 59, 2, (1, 0)),
        ("val", 72, 3, (1, 0)),
        ("train", 1, 4, (1, 0)),
        ("val", 48, 2, (2, 0)),
        ("train", 13, 2, (3, 1)),
    ):
        settings = base_eval.Settings(eval_tokens=tokens, device_batch_size=rows)
        with one_of(*among):
            value = base_eval.bits_per_byte(model, own, split, settings)
        data["bits per byte"][f"{split}, {tokens} tokens, {rows} rows, {among[0]} processes"] = value
    data["read"] = list(read)
    # samples
    chosen = {"num_samples": 3, "max_tokens": 4, "temperature": 0.5, "top_k": 7, "seed": inputs["seed"]}
    data["samples"] = [
        base_eval.samples(engine, inputs["prompt"], base_eval.Settings(**options))
        for options in ({}, chosen, {"temperature": 0.0, "top_k": None})
    ]
    data["asked"] = list(engine.asked)
    data["leaves its group at an error"] = left_its_group(base_eval.main, ["--device", "cpu"])
    data["script"] = run(base_eval, engine, read, inputs)
    return data


def run(base_eval, engine, read, inputs):
    """What the script prints: both figures, and the samples of its own prompts or of a given one."""
    import contextlib
    import io
    import re
    import sys

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.replacing import replaced
    from nanochat import chat, common

    def load_engine(run_dir, device="cpu"):
        loaded.append([run_dir.name, run_dir.parent.resolve() == folder.resolve(), str(device)])
        return engine, {"step": 7}

    loaded, data = [], []
    flags = ["--eval-tokens", "24", "--device-batch-size", "2"]
    for more in (
        [],
        ["--prompt", inputs["prompt"], "--num-samples", "2", "--name", "other", "--device", "cpu"],
        ["--prompt", ""],
    ):
        engine.asked.clear()
        read.clear()
        printed = io.StringIO()
        with (
            base_folder() as folder,
            contextlib.redirect_stdout(printed),
            replaced(sys, argv=["base_eval", *flags, *more]),
            replaced(chat, load_engine=load_engine),
            replaced(common, autodetect_device_type=lambda: "cpu"),
        ):
            # the flags are those of the command line, or are given
            base_eval.main(*([[*flags, *more]] if more else []))
        text = printed.getvalue()
        figures = [float(number) for number in re.findall(r"\d+\.\d+", text)]
        settings = base_eval.Settings(eval_tokens=24, device_batch_size=2)
        right = [
            base_eval.bits_per_byte(engine.model, engine.tokenizer, split, settings)
            for split in ("train", "val")
        ]
        data.append(
            {
                "figures are printed": [any(abs(one - figure) < 0.01 for figure in figures) for one in right],
                "splits": [one[2] for one in read[:4] if len(one) > 2],
                "prompts": [engine.tokenizer.decode(one["prompt"]) for one in engine.asked],
                "samples": [one["samples"] for one in engine.asked],
                "samples are printed": [text.count(one) for one in inputs["continuations"]],
            }
        )
    return [data, loaded]
