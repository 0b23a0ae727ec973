"""Stand-ins for a model's optimizers, which note what a training loop brings to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# One learning rate for each group of the stand-ins: head, embedding, blocks.
RATES = (0.25, 0.5, 0.125)


class Recorder:
    """Notes gradients, values and rates of parameters, each when its own optimizer is asked to step.

    The stand-ins then go so far along the gradient, whatever a schedule says: 0 leaves the model as it is.
    """

    def __init__(self, model: Any, descent: float = 0.05) -> None:
        self.model = model
        self.descent = descent
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

    def __init__(self, groups: list[dict[str, Any]], recorder: Recorder) -> None:
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
                    parameter.sub_(parameter.grad, alpha=self._recorder.descent)

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
