"""The tree's trainings on a row source, with a note of every forward pass and of every optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from bughunt.lab.measuring.flushing import flushes_noted
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.recorder import Recorder
from bughunt.lab.measuring.replacing import replaced
from bughunt.lab.measuring.row_source import VOCABULARY, RowSource

T = 4
WIDTH = 8
DEVICE = "cpu:0"  # by a name that no default has
HEADS = 4  # of two channels each, which turn at one frequency only


class Watch:
    """What a training did: forward passes, what its optimizers were set up with, and their steps."""

    def __init__(self) -> None:
        self.forwards: list[dict[str, Any]] = []
        self.rates: dict[str, float] = {}
        self.recorders: list[ScheduleRecorder] = []
        self.on_disk: set[int] = set()  # inodes of the files that were put on disk
        self.waiting = 0  # forward passes whose backward pass has not come yet
        self.most_waiting = 0

    def passed(self, model: Any, ids: Any, loss: Any) -> None:
        """Note a forward pass that gave this loss; one for learning waits for its backward pass."""
        learning = bool(loss.requires_grad)
        self.forwards.append({"rows": ids.tolist(), "for learning": learning, "mode": model.training})
        if learning:
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
            loss.register_hook(self._came_back)

    def _came_back(self, _: object) -> None:
        self.waiting -= 1

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [step for recorder in self.recorders for step in recorder.steps]

    def schedule(self, key: str) -> list[Any]:
        """Of every step each group's "rates" over the initial one, or its "momentum"."""
        return [step[key] for step in self.steps]

    def gradients(self) -> list[dict[str, list[float]]]:
        """A sketch of what came to the optimizers at every step."""
        return [sketches(step["gradients"]) for step in self.steps]

    def rows(self, *, learning: bool) -> list[Any]:
        """The ids of the forward passes that are for learning, or of those that only measure."""
        return [one["rows"] for one in self.forwards if one["for learning"] == learning]


class ScheduleRecorder(Recorder):
    """Notes the momentum, too."""

    def note(self, optimizer: Any) -> None:
        super().note(optimizer)
        momenta = [float(group["momentum"]) for group in optimizer.param_groups if "momentum" in group]
        self.steps[-1].setdefault("momentum", []).extend(momenta)


@contextmanager
def watched(source: RowSource, *, stand_ins: bool = True) -> Iterator[Watch]:
    """The trainings read from the source, and do not wait for the disk.

    With `stand_ins` their optimizers are plain descent at a rate that no schedule sets.
    """
    from nanochat.gpt import GPT
    from scripts import base_train, chat_sft  # noqa: F401 - what a script imports by name is replaced there, too

    from nanochat import dataloader

    watch = Watch()
    forward = GPT.forward

    def noted(model: Any, *arguments: Any, **options: Any) -> Any:
        loss = forward(model, *arguments, **options)
        watch.passed(model, arguments[0] if arguments else options["idx"], loss)
        return loss

    def setup_optimizers(
        model: Any,
        unembedding_lr: float = 0.004,
        embedding_lr: float = 0.2,
        matrix_lr: float = 0.02,
        weight_decay: float = 0.0,
    ) -> Any:
        watch.rates = {
            "head": unembedding_lr,
            "embedding": embedding_lr,
            "matrices": matrix_lr,
            "decay": weight_decay,
        }
        watch.recorders.append(ScheduleRecorder(model))
        return watch.recorders[-1].stand_ins()

    with ExitStack() as stack:
        watch.on_disk = stack.enter_context(flushes_noted())
        stack.enter_context(replaced(GPT, forward=noted))
        if stand_ins:
            stack.enter_context(replaced(GPT, setup_optimizers=setup_optimizers))
        stack.enter_context(replaced(dataloader, tokenizing_distributed_data_loader=source.documents))
        stack.enter_context(replaced(chat_sft, sft_data_generator=source.conversations))
        yield watch


def tiny_tokenizer() -> Any:
    """The tree's tokenizer with as many ids as a row source has; most are of one to three bytes."""
    from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

    texts = range(VOCABULARY - len(SPECIAL_TOKENS))
    return RustBPETokenizer({bytes([65 + one]) * (1 + one % 3): one for one in texts})


def byte_tokenizer() -> Any:
    """The tree's tokenizer with a token for every byte, which can be saved and encodes any text."""
    from nanochat.tokenizer import RustBPETokenizer

    return RustBPETokenizer({bytes([byte]): byte for byte in range(256)})


def tiny_model(seed: int) -> Any:
    """A model of one block for the rows of a source, none of whose weights is zero. Not in training mode."""
    model = make_model(sequence_len=2 * T, vocab_size=VOCABULARY, n_layer=1, n_head=HEADS, n_embd=WIDTH)
    randomise(model, seed)
    return model


def base_settings(**changes: Any) -> Any:
    """Settings of a pretraining of `tiny_model` at a constant rate: a step is two micro-batches of two."""
    from scripts.base_train import Settings

    settings: dict[str, Any] = {
        "depth": 1,
        "n_embd": WIDTH,
        "n_head": HEADS,
        "sequence_len": T,
        "device_batch_size": 2,
        "total_batch_size": 4 * T,
        "num_iterations": 4,
        "eval_every": 0,
        "eval_tokens": 4 * T,
        "save_every": 0,
        "warmup_ratio": 0.0,
        "warmdown_ratio": 0.0,
    }
    return Settings(**{**settings, **changes})


def tuning_settings(**changes: Any) -> Any:
    """The same of a fine-tuning: a step of two micro-batches of two conversations."""
    from scripts.chat_sft import Settings

    settings: dict[str, Any] = {
        "device_batch_size": 2,
        "total_batch_size": 4,
        "num_iterations": 4,
        "eval_every": 0,
        "eval_conversations": 4,
        "save_every": 0,
        "warmup_ratio": 0.0,
        "warmdown_ratio": 0.0,
    }
    return Settings(**{**settings, **changes})


def pretrain(seed: int, settings: Any, **options: Any) -> Any:
    """`base_train.train` of a new tiny model, unless another is given; without what is given as None."""
    from scripts import base_train

    given = {"tokenizer": tiny_tokenizer(), "documents": ["d"], "val_documents": ["v"], "device": DEVICE}
    return base_train.train(settings, **_given({"model": tiny_model(seed), **given, **options}))


def fine_tune(seed: int, settings: Any, **options: Any) -> Any:
    """`chat_sft.train` of a new tiny model, unless another is given; without what is given as None."""
    from scripts import chat_sft

    given = {
        "tokenizer": tiny_tokenizer(),
        "dataset": ["train"],
        "val_dataset": ["held out"],
        "device": DEVICE,
    }
    return chat_sft.train(settings, **_given({"model": tiny_model(seed), **given, **options}))


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def sketches(matrices: dict[str, Sequence[Sequence[float]] | None]) -> dict[str, list[float]]:
    """Of every matrix its norm and a sum in which every element has another weight; nothing for None."""
    found = {}
    for name, matrix in matrices.items():
        elements = [element for row in matrix or [] for element in row]
        norm = math.sqrt(sum(element * element for element in elements))
        mixed = sum(element * math.cos(index) for index, element in enumerate(elements))
        found[name] = [norm, mixed] if matrix is not None else []
    return found


def weights_of(model: Any) -> dict[str, list[float]]:
    """A sketch of every weight."""
    return sketches({name: weight.tolist() for name, weight in model.named_parameters()})


def left_on(model: Any) -> dict[str, Any]:
    """What a training leaves on a model beside its weights."""
    return {
        "training mode": model.training,
        "all can learn": all(weight.requires_grad for weight in model.parameters()),
        "gradients": any(
            weight.grad is not None and bool(weight.grad.any()) for weight in model.parameters()
        ),
        "hooks": sum(
            len(part._forward_hooks) + len(part._forward_pre_hooks) + len(part._backward_hooks)
            for part in model.modules()
        ),
    }


def records_of(result: Any, *keys: str) -> list[dict[str, Any]]:
    """Of every step what the metrics say under these keys, where they say it."""
    return [{key: record[key] for key in keys if key in record} for record in result.records]
