"""AdamW for several processes. In one process, `torch.optim.AdamW` is the same thing."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
import torch.distributed as dist
from torch.optim.adamw import adamw

MOMENTS = ("exp_avg", "exp_avg_sq")


class DistAdamW(torch.optim.AdamW):
    """AdamW (https://arxiv.org/abs/1711.05101), sharded over the processes.

    Takes the arguments of `torch.optim.AdamW` (not amsgrad); state dicts are interchangeable with its own. A
    parameter whose first dimension the number of processes divides is sharded along it. Every rank must call
    `step`, `state_dict` and `load_state_dict`.
    """

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            states = [self._state_of(p) for p in params]
            beta1, beta2 = group["betas"]
            # reduce-scatter, then update
            adamw(
                [_my_rows(p) for p in params],
                [_average_of_my_rows(p.grad) for p in params],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"] for state in states],
                fused=group["fused"],
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=group["maximize"],
            )
            # all-gather
            for p in params:
                _gather_rows(p, _my_rows(p))

    def _state_of(self, p: torch.Tensor) -> dict[str, torch.Tensor]:
        state = self.state[p]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=p.device)
            state.update((name, torch.zeros_like(_my_rows(p))) for name in MOMENTS)
        return state

    def state_dict(self) -> dict[str, Any]:
        """The complete state."""
        # from the owners to all
        own_state, self.state = self.state, defaultdict(dict)
        for p, state in own_state.items():
            moments = {name: torch.empty_like(p) for name in MOMENTS}
            for name, moment in moments.items():
                _gather_rows(moment, state[name])
            self.state[p] = {"step": state["step"], **moments}
        try:
            return super().state_dict()
        finally:
            self.state = own_state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take this rank's share of a complete state."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            for name in MOMENTS:
                state[name] = _my_rows(state[name]).clone()


def _is_sharded(p: torch.Tensor) -> bool:
    return p.ndim > 0 and p.size(0) % dist.get_world_size() == 0


def _my_rows(p: torch.Tensor) -> torch.Tensor:
    """This rank's rows of a sharded parameter, as a view; the whole of another."""
    return p.chunk(dist.get_world_size())[dist.get_rank()] if _is_sharded(p) else p


def _average_of_my_rows(gradient: torch.Tensor) -> torch.Tensor:
    """This rank's rows of the gradient averaged over the ranks; the whole of one that is not sharded."""
    if _is_sharded(gradient):
        average = torch.empty_like(_my_rows(gradient))
        dist.reduce_scatter(average, list(gradient.chunk(dist.get_world_size())))
    else:
        average = gradient.clone()
        dist.all_reduce(average)
    return average.div_(dist.get_world_size())


def _gather_rows(whole: torch.Tensor, mine: torch.Tensor) -> None:
    """Fill a tensor shaped like a parameter with every rank's rows."""
    if _is_sharded(whole):
        dist.all_gather(list(whole.chunk(dist.get_world_size())), mine.clone())
    else:
        whole.copy_(mine)
