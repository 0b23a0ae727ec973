"""A few steps of the tree's fine-tuning on a model, batches and optimizers that are given to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bughunt.lab.measuring.attempts import describe_error
from bughunt.lab.measuring.processes import first_of
from bughunt.lab.measuring.recorder import Recorder
from bughunt.lab.measuring.tiny_run import build_model, kept_run
from bughunt.lab.measuring.tokenizers import WordTokenizer


def fine_tune(case: dict[str, Any]) -> dict[str, Any] | str | None:
    """The gradients in a step of the tree's fine-tuning on the case's first rows, all of them targets.

    A string says what was called in a way that it cannot be; None is for where it fails otherwise.
    """
    try:
        found = _tune_on_rows(case, steps=1, schedule=True)
    except TypeError as error:
        return describe_error(error)
    except Exception:
        return None
    gradients: dict[str, Any] = found["steps"][0]["gradients"]
    return gradients


def rates_of_tuning(
    case: dict[str, Any], steps: int, resumed_at: int = 0, **settings: Any
) -> list[list[float]]:
    """For every step of the tree's fine-tuning each parameter group's learning rate over its first one.

    The steps from `resumed_at` on are those of a run that goes on from a checkpoint.
    """
    settings |= {"save_every": resumed_at, "keep": steps}
    with kept_run() as place:
        found = _tune_on_rows(case, steps=steps, schedule=True, place=place, **settings)["steps"]
        if resumed_at:
            place["start_step"] = resumed_at
            more = _tune_on_rows(case, steps=steps, schedule=True, place=place, **settings)["steps"]
            found = [*found[:resumed_at], *more]
    return [step["rates"] for step in found]


def tune_on_conversations(
    case: dict[str, Any], rendered: Sequence[tuple[list[int], list[int]]], **settings: Any
) -> dict[str, Any]:
    """A step of the tree's fine-tuning on conversations that are rendered already, as ids and masks, drawn
    by the workspace's own generator, that leaves the model as it is; see `_tune`."""
    return _tune(case, _Rendered(), rendered, schedule=False, descent=0.0, num_iterations=1, **settings)


class _Rendered(WordTokenizer):
    """A conversation is what it is rendered to."""

    def __init__(self) -> None:
        super().__init__({}, bos=0)

    def encode_special(self, text: str) -> int:
        return 1 if text == "<|assistant_end|>" else super().encode_special(text)

    def render_conversation(self, conversation: Any, *_: object, **__: object) -> tuple[list[int], list[int]]:
        ids, mask = conversation
        return list(ids), list(mask)


def optimizers_of_tuning(model: Any, rows: dict[str, Any], **settings: Any) -> list[Any]:
    """The optimizers that the tree's fine-tuning sets up for the model, after a step on the rows."""
    with _fed_by(rows) as count:
        settings |= {"device_batch_size": count, "total_batch_size": count, "num_iterations": 1}
        result = _train(model, WordTokenizer({}, bos=0), [None], **settings)
    return list(result.optimizers)


def _tune_on_rows(case: dict[str, Any], *, steps: int, schedule: bool, **settings: Any) -> dict[str, Any]:
    """See `_tune`; on the case's first rows, at every step."""
    with _fed_by(case) as rows:
        settings |= {"device_batch_size": rows // case["micro_batches"], "total_batch_size": rows}
        tokenizer = WordTokenizer({}, bos=0)
        return _tune(case, tokenizer, [None], schedule=schedule, num_iterations=steps, **settings)


@contextmanager
def _fed_by(case: dict[str, Any]) -> Iterator[int]:
    """Has the case's first rows drawn, over and over, whatever the conversations are; yields their number."""
    import torch
    from scripts import chat_sft

    rows = [torch.tensor(case[name][0]).view(-1, case["T"]) for name in ("inputs", "targets")]

    def batches(_dataset: object, _tokenizer: object, size: int, *_: object, **__: object) -> Iterator[Any]:
        while True:
            yield from zip(rows[0].split(size), rows[1].split(size), strict=True)

    own = chat_sft.sft_data_generator
    chat_sft.sft_data_generator = batches
    try:
        yield len(rows[0])
    finally:
        chat_sft.sft_data_generator = own


def _tune(
    case: dict[str, Any],
    tokenizer: Any,
    dataset: Sequence[Any],
    *,
    schedule: bool,
    descent: float = 0.05,
    **settings: Any,
) -> dict[str, Any]:
    """Fine-tunes as `scripts.chat_sft` does, the first of the case's `processes`.

    Returns the reported `losses`, `validation` losses and numbers of `targets`, and the `steps` at the
    optimizers, see `Recorder`. Without `schedule` the learning rate is constant.
    """
    from scripts import chat_sft

    model = build_model(case)
    recorder = Recorder(model, descent)
    model.setup_optimizers = recorder.stand_ins
    own = getattr(chat_sft, "get_lr_multiplier", None)
    if not schedule:
        chat_sft.get_lr_multiplier = lambda *_, **__: 1.0
    try:
        with first_of(case.get("processes", 1)):
            result = _train(model, tokenizer, dataset, grad_clip=0.0, **settings)
    finally:
        if own is not None:
            chat_sft.get_lr_multiplier = own
    return {
        "losses": [float(record["loss"]) for record in result.records],
        "validation": [record.get("val_loss") for record in result.records],
        "targets": [record.get("trained_tokens") for record in result.records],
        "steps": recorder.steps,
    }


def _train(
    model: Any,
    tokenizer: Any,
    dataset: Sequence[Any],
    *,
    place: dict[str, Any] | None = None,
    **settings: Any,
) -> Any:
    from scripts import chat_sft

    return chat_sft.train(
        chat_sft.Settings(**{"eval_every": 0, **settings}),
        model=model,
        tokenizer=tokenizer,
        dataset=dataset,
        val_dataset=dataset,
        **(place or {}),
    )
