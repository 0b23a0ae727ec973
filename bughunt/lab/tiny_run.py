"""A few steps of the tree's pretraining on a model, batches and optimizers of the judge's own.

The training loop is the workspace's. What it is given is not, so that what is measured of the loop does not
depend on the loader, the tokenizer or the optimizers of the workspace. The functions run in the measuring
process; torch and the workspace are imported when they are called.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from bughunt.lab.processes import first_of
from bughunt.lab.word_tokenizer import WordTokenizer

# One learning rate for each group of the stand-ins: head, embedding, blocks.
RATES = (0.25, 0.5, 0.125)


def build_model(case: dict[str, Any]) -> Any:
    """The tree's GPT with the weights of the case."""
    import torch
    from nanochat.gpt import GPT, GPTConfig

    weights = case["weights"]
    vocabulary, width = len(weights["lm_head.weight"]), len(weights["lm_head.weight"][0])
    config = GPTConfig(
        sequence_len=case["T"],
        vocab_size=vocabulary,
        n_layer=case["layers"],
        n_head=2,
        n_kv_head=2,
        n_embd=width,
    )
    model = GPT(config)
    model.init_weights()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.tensor(weights[name]))
    return model


def train(case: dict[str, Any], *, schedule: bool = True, **settings: Any) -> dict[str, Any]:
    """Trains as `scripts.base_train` does, and notes what reaches the optimizers.

    The case gives the weights, rows of `T` tokens, the `steps`, each step's flat `inputs` and `targets`, and
    into how many `micro_batches` a step is split; with `processes`, the rows are those of the first of so
    many, which all have the same. Returns what the metrics say, and for every optimizer step the gradients
    and the values of all parameters by name, as they were when its optimizer was asked to step, and each
    group's learning rate over its first one. Without `schedule` the workspace's is not asked and the learning
    rate is constant.
    """
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    base_train = _base_train_fed_by(case)
    if not schedule:
        base_train.get_lr_multiplier = lambda *_, **__: 1.0
    model = build_model(case)
    recorder = _Recorder(model)
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


def validate(case: dict[str, Any]) -> float | None:
    """The validation loss on the rows of the case's first step, after it; None where it cannot be told."""
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
        found = train(one, schedule=False, grad_clip=0.0, eval_every=1, eval_tokens=tokens, **rates)
        return float(found["validation"][-1])
    except Exception:
        return None
    finally:
        base_train.get_token_bytes = own


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
    recorder = _Recorder(model)
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
        return f"TypeError: {error}"
    except Exception:
        return None
    finally:
        chat_sft.sft_data_generator = own


def optimizers_of_a_run(model: Any, **settings: Any) -> list[Any]:
    """The optimizers that the tree's pretraining sets up for the model, after a step with them."""
    T = model.config.sequence_len
    base_train = _base_train_fed_by({"T": T, "inputs": [[0] * T], "targets": [[0] * T]})
    result = base_train.train(
        base_train.Settings(
            depth=model.config.n_layer,
            sequence_len=T,
            device_batch_size=1,
            total_batch_size=T,
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
        # Of the first process's stripes: 0, and every so many-th from there.
        processes = case.get("processes", 1)
        stripes = (world_size or processes) // processes
        first = (rank or 0) // processes + skip_batches * stripes
        return islice(micro_batches(B, T), first, None, stripes)

    dataloader.tokenizing_distributed_data_loader = loader
    from scripts import base_train

    base_train.tokenizing_distributed_data_loader = loader
    return base_train


class _Recorder:
    """Notes gradients, values and rates of parameters, each when its own optimizer is asked to step."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.steps: list[dict[str, Any]] = []
        self._seen: set[int] = set()

    def stand_ins(self, *_: object, **__: object) -> list[_Descent]:
        """In place of the model's `setup_optimizers`: two optimizers with the groups of the real ones."""
        head, embedding, blocks = (
            list(part.parameters())
            for part in (self.model.lm_head, self.model.transformer.wte, self.model.transformer.h)
        )
        adam = {"betas": (0.8, 0.95), "eps": 1e-10, "weight_decay": 0.0}
        groups: list[dict[str, Any]] = [
            {"params": head, **adam},
            {"params": embedding, **adam},
            {"params": blocks, "momentum": 0.95},
        ]
        for group, rate in zip(groups, RATES, strict=True):
            group["lr"] = group["initial_lr"] = rate
        return [_Descent(groups[:2], self), _Descent(groups[2:], self)]

    def note(self, optimizer: Any) -> None:
        if not self.steps or id(optimizer) in self._seen:
            self._seen.clear()
            self.steps.append({"gradients": {}, "values": {}, "rates": []})
        self._seen.add(id(optimizer))
        step = self.steps[-1]
        for group in optimizer.param_groups:
            step["rates"].append(float(group["lr"]) / float(group.get("initial_lr", group["lr"])))
            for parameter in group["params"]:
                name = self.names.get(id(parameter), "a parameter that is not the model's")
                step["values"][name] = parameter.detach().tolist()
                step["gradients"][name] = None if parameter.grad is None else parameter.grad.tolist()


class _Descent:
    """Plain gradient descent with the public face of a torch optimizer, at a rate that no schedule sets."""

    def __init__(self, groups: list[dict[str, Any]], recorder: _Recorder) -> None:
        self.param_groups = groups
        self.defaults: dict[str, Any] = {}
        self.state: dict[Any, Any] = {}
        self._recorder = recorder

    def step(self, closure: object = None) -> None:
        import torch

        self._recorder.note(self)
        with torch.no_grad():
            for parameter in self._parameters():
                if parameter.grad is not None:
                    parameter.sub_(parameter.grad, alpha=0.05)

    def zero_grad(self, set_to_none: bool = True) -> None:
        for parameter in self._parameters():
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        return {"state": {}, "param_groups": []}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        pass

    def _parameters(self) -> Iterator[Any]:
        for group in self.param_groups:
            yield from group["params"]
