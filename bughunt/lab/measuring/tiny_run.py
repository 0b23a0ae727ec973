"""A few steps of the tree's pretraining on a model, batches and optimizers that are given to it.

The training loop is the workspace's. What it is given is not, so that what is measured of the loop does not
depend on the loader, the tokenizer or the optimizers of the workspace. The functions run in the measuring
process; torch and the workspace are imported when they are called.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from bughunt.lab.measuring.models import load_weights, make_model
from bughunt.lab.measuring.processes import first_of
from bughunt.lab.measuring.recorder import Recorder
from bughunt.lab.measuring.tokenizers import WordTokenizer


def build_model(case: dict[str, Any]) -> Any:
    """The tree's GPT with the weights of the case, for training; two heads."""
    vocab_size, n_embd = len(case["weights"]["lm_head.weight"]), len(case["weights"]["lm_head.weight"][0])
    model = make_model(
        sequence_len=case["T"], vocab_size=vocab_size, n_layer=case["layers"], n_head=2, n_embd=n_embd
    )
    load_weights(model, case["weights"])
    return model.train()


def train(
    case: dict[str, Any],
    *,
    schedule: bool = True,
    model: Any = None,
    place: dict[str, Any] | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Trains as `scripts.base_train` does, and notes what reaches the optimizers.

    The case gives the weights, rows of `T` tokens, the `steps`, each step's flat `inputs` and `targets`, and
    into how many `micro_batches` a step is split; with `processes`, the rows are those of the first of so
    many, which all have the same. `model` is one of `build_model`, None for a new one. Returns what the
    metrics say, and for every optimizer step the gradients and the values of all parameters by name, as they
    were when its optimizer was asked to step, and each group's learning rate over its first one. Without
    `schedule` the workspace's is not asked and the learning rate is constant. `place` says where a run is
    kept and where it begins, as whoever starts one from a shell does.
    """
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    base_train = _base_train_fed_by(case)
    if not schedule:
        base_train.get_lr_multiplier = lambda *_, **__: 1.0
    model = build_model(case) if model is None else model
    recorder = Recorder(model)
    model.setup_optimizers = recorder.stand_ins
    rows = len(case["inputs"][0]) // case["T"]
    processes = case.get("processes", 1)
    handle = register_optimizer_step_pre_hook(lambda optimizer, *_: recorder.note(optimizer))
    try:
        with first_of(processes):
            result = base_train.train(
                base_train.Settings(
                    depth=case["layers"],
                    sequence_len=case["T"],
                    device_batch_size=rows // case["micro_batches"],
                    total_batch_size=rows * case["T"] * processes,
                    num_iterations=len(case["inputs"]),
                    **{"eval_every": 0, **settings},
                ),
                tokenizer=WordTokenizer({}, bos=0),
                documents=[],
                model=model,
                **(place or {}),
            )
    finally:
        handle.remove()
    return {
        "losses": [float(loss) for loss in result.losses],
        "norms": [float(record.get("grad_norm", "nan")) for record in result.records],
        "clipped": [bool(record.get("clipped")) for record in result.records],
        "validation": [record.get("val_bpb") for record in result.records],
        "steps": recorder.steps,
    }


def resume(case: dict[str, Any], at: int, **settings: Any) -> list[dict[str, Any]]:
    """The `steps` of `train`, those from `at` on by a run that goes on from the checkpoint of that step."""
    with kept_run() as place:
        settings |= {"save_every": at, "keep": len(case["inputs"])}
        begun = train(case, place=place, **settings)["steps"]
        return [*begun[:at], *train(case, place={**place, "start_step": at}, **settings)["steps"]]


@contextmanager
def kept_run() -> Iterator[dict[str, Any]]:
    """Where a run is kept, as one is that was started from a shell; not for long, so that nothing waits for
    the disk."""
    import torch

    own = os.fsync
    os.fsync = lambda fd: None
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield {"run_dir": Path(folder), "device": torch.device("cpu"), "on_step": lambda _: None}
    finally:
        os.fsync = own


def validate(case: dict[str, Any]) -> dict[str, Any] | None:
    """The validation `loss` in bits on the rows of the case's first step, and the `values` of all parameters
    after that step, with which it should be; None where it cannot be told."""
    import torch

    one = {**case, "inputs": case["inputs"][:1], "targets": case["targets"][:1]}
    vocabulary = len(case["weights"]["lm_head.weight"])
    base_train = _base_train_fed_by(one)
    own = base_train.get_token_bytes
    base_train.get_token_bytes = lambda *_, **__: torch.ones(vocabulary, dtype=torch.int32)
    try:
        tokens = len(case["inputs"][0])
        # A step so small that optimizers of a fix's own do not magnify the last digits of a gradient.
        rates = dict.fromkeys(("unembedding_lr", "embedding_lr", "matrix_lr"), 1e-4)
        model = build_model(one)
        settings: dict[str, Any] = {"grad_clip": 0.0, "eval_every": 1, "eval_tokens": tokens, **rates}
        found = train(one, schedule=False, model=model, place=None, **settings)
        values = {name: parameter.detach().tolist() for name, parameter in model.named_parameters()}
        return {"loss": float(found["validation"][-1]), "values": values}
    except Exception:
        return None
    finally:
        base_train.get_token_bytes = own


def optimizers_of_a_run(model: Any, rows: dict[str, Any], **settings: Any) -> list[Any]:
    """The optimizers that the tree's pretraining sets up for the model, after a step on the rows."""
    T = rows["T"]
    base_train = _base_train_fed_by(rows)
    result = base_train.train(
        base_train.Settings(
            depth=model.config.n_layer,
            sequence_len=T,
            device_batch_size=len(rows["inputs"][0]) // T,
            total_batch_size=len(rows["inputs"][0]),
            num_iterations=1,
            eval_every=0,
            **settings,
        ),
        tokenizer=WordTokenizer({}, bos=0),
        documents=[],
        model=model,
    )
    return list(result.optimizers)


def _base_train_fed_by(case: dict[str, Any]) -> Any:
    """`scripts.base_train`, whose loader gives the rows of the case."""
    import torch

    from nanochat import dataloader

    def micro_batches(B: int, T: int) -> Iterator[Any]:
        for inputs, targets in zip(case["inputs"], case["targets"], strict=True):
            rows = torch.tensor(inputs).view(-1, T), torch.tensor(targets).view(-1, T)
            for x, y in zip(rows[0].split(B), rows[1].split(B), strict=True):
                yield x.int(), y.clone()
        while True:  # for a loop that reads ahead
            yield torch.zeros(B, T, dtype=torch.int32), torch.zeros(B, T, dtype=torch.int64)

    def loader(
        B: int,
        T: int,
        *_: object,
        rank: int | None = None,
        world_size: int | None = None,
        skip_batches: int = 0,
        **__: object,
    ) -> Iterator[Any]:
        # With several processes imagined, of the stripes only those that the first of them reads.
        processes = case.get("processes", 1)
        stripes = (world_size or processes) // processes
        first = (rank or 0) // processes + skip_batches * stripes
        return islice(micro_batches(B, T), first, None, stripes)

    dataloader.tokenizing_distributed_data_loader = loader
    from scripts import base_train

    base_train.tokenizing_distributed_data_loader = loader
    return base_train
