"""A step of the tree's fine-tuning on a model, batches and optimizers that are given to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bughunt.lab.measuring.attempts import describe_error
from bughunt.lab.measuring.recorder import Recorder
from bughunt.lab.measuring.tiny_run import build_model
from bughunt.lab.measuring.tokenizers import WordTokenizer


def fine_tune(case: dict[str, Any]) -> dict[str, Any] | str | None:
    """The gradients in a step of the tree's fine-tuning on the case's first rows, all of them targets.

    A string says what was called in a way that it cannot be; None is for where it fails otherwise.
    """
    import torch

    rows = [torch.tensor(case[name][0]).view(-1, case["T"]) for name in ("inputs", "targets")]

    def batches(_dataset: object, _tokenizer: object, size: int, *_: object, **__: object) -> Iterator[Any]:
        while True:
            yield from zip(rows[0].split(size), rows[1].split(size), strict=True)

    try:
        from scripts import chat_sft
    except Exception:
        return None
    own = chat_sft.sft_data_generator
    chat_sft.sft_data_generator = batches
    model = build_model(case)
    recorder = Recorder(model)
    model.setup_optimizers = recorder.stand_ins
    try:
        chat_sft.train(
            chat_sft.Settings(
                device_batch_size=len(rows[0]) // case["micro_batches"],
                total_batch_size=len(rows[0]),
                num_iterations=1,
                eval_every=0,
                grad_clip=0.0,
            ),
            model=model,
            tokenizer=WordTokenizer({}, bos=0),
            dataset=[None],
        )
        gradients: dict[str, Any] = recorder.steps[0]["gradients"]
        return gradients
    except TypeError as error:
        return describe_error(error)
    except Exception:
        return None
    finally:
        chat_sft.sft_data_generator = own
