"""Muon: momentum whose update is orthogonalised, for the weight matrices of a network.

A gradient matrix is dominated by a few directions. Muon keeps a momentum of it and steps along the nearest
orthogonal matrix instead, so that every direction moves by about as much
(https://kellerjordan.github.io/posts/muon/). It is meant for 2-D weights inside the network; embeddings and
the output head want AdamW.

`DistMuon` is the same optimizer for several processes: each owns a share of the matrices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist

# Coefficients of the quintic iteration: steep at zero, at the price of singular values only near 1.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalize(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Bring the singular values of each matrix of a batch (n, rows, cols) near 1, by Newton-Schulz steps.

    Computes in bfloat16 on a GPU and in float32 elsewhere, and returns that dtype. After five steps, singular
    values that were at least a hundredth of the Frobenius norm lie between about 0.7 and 1.2.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices.bfloat16() if matrices.is_cuda else matrices.float()  # (n, rows, cols)
    tall = x.size(-2) > x.size(-1)
    # short side first
    if tall:
        x = x.mT  # (n, cols, rows)
    # norm
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    # iterate
    for _ in range(steps):
        gram = x @ x.mT  # (n, short, short)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b·gram + c·gram²
        x = torch.baddbmm(x, polynomial, x, beta=a)  # a·x + polynomial·x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for one process.

    Args:
        params: 2-D parameters, or groups of them.
        lr: step size, see the post.
        momentum: share of the old momentum kept at each step.
        nesterov: step along the momentum as it will be after the next, equal, gradient.
        ns_steps: Newton-Schulz iterations.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.02,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "nesterov": nesterov, "ns_steps": ns_steps})
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise ValueError(f"Muon is for matrices, not for a parameter of shape {tuple(p.shape)}")

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for params in _by_shape(p for p in group["params"] if p.grad is not None):
                self._update(group, params, torch.stack([_wide(p.grad) for p in params]))

    def _update(self, group: dict[str, Any], params: list[torch.Tensor], gradients: torch.Tensor) -> None:
        """Step n parameters of one wide shape along `gradients` (n, rows, cols)."""
        # momentum
        momentum = group["momentum"]
        for p, gradient in zip(params, gradients, strict=True):
            state = self.state[p]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(p)
            buffer = _wide(state["momentum_buffer"]).lerp_(gradient, 1 - momentum)
            if group["nesterov"]:
                gradient.lerp_(buffer, momentum)
            else:
                gradient.copy_(buffer)
        # Newton-Schulz
        updates = orthogonalize(gradients, group["ns_steps"])  # (n, rows, cols)
        # update
        for p, update in zip(params, updates, strict=True):
            scale = max(1.0, p.size(0) / p.size(1)) ** 0.5
            _wide(p).add_(update, alpha=-group["lr"] * scale)


class DistMuon(Muon):
    """Muon, sharded over the processes; state dicts are interchangeable with those of `Muon`.

    Every rank must call `step`, `state_dict` and `load_state_dict`.
    """

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        world_size, rank = dist.get_world_size(), dist.get_rank()
        for group in self.param_groups:
            for params in _by_shape(group["params"]):
                # gradients, in slots that divide evenly among the ranks
                share = _share(params)
                first = _wide(params[0])
                slots = first.new_zeros(share * world_size, *first.shape)  # (n, rows, cols)
                for slot, p in zip(slots, params, strict=False):
                    if p.grad is not None:
                        slot.copy_(_wide(p.grad))
                # reduce-scatter
                mine = torch.empty_like(slots[:share])  # (share, rows, cols)
                dist.reduce_scatter(mine, list(slots.chunk(world_size)))
                mine.div_(world_size)

                # update this share
                owned = params[rank * share : (rank + 1) * share]
                moving = [i for i, p in enumerate(owned) if p.grad is not None]
                if moving:
                    self._update(group, [owned[i] for i in moving], mine[moving])

                # all-gather
                for slot, p in zip(mine, owned, strict=False):
                    slot.copy_(_wide(p))
                dist.all_gather(list(slots.chunk(world_size)), mine)
                for slot, p in zip(slots, params, strict=False):
                    _wide(p).copy_(slot)

    def state_dict(self) -> dict[str, Any]:
        """The complete state."""
        # from the owners to all
        complete: dict[torch.Tensor, dict[str, Any]] = {}
        for p, owner in self._owners():
            buffer = self.state[p].get("momentum_buffer") if p in self.state else None
            if buffer is None:
                buffer = torch.zeros_like(p)
            dist.broadcast(buffer, src=owner)
            complete[p] = {"momentum_buffer": buffer}
        # as one process has it
        own_state, self.state = self.state, defaultdict(dict, complete)
        try:
            return super().state_dict()
        finally:
            self.state = own_state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take this rank's share of a complete state."""
        super().load_state_dict(state_dict)
        for p, owner in self._owners():
            if owner != dist.get_rank():
                self.state.pop(p, None)

    def _owners(self) -> Iterator[tuple[torch.Tensor, int]]:
        """Every parameter, with the rank that updates it."""
        for group in self.param_groups:
            for params in _by_shape(group["params"]):
                for i, p in enumerate(params):
                    yield p, i // _share(params)


def _wide(matrix: torch.Tensor) -> torch.Tensor:
    """The matrix with its short side first: a view."""
    return matrix.mT if matrix.size(0) > matrix.size(1) else matrix


def _by_shape(params: Iterable[torch.Tensor]) -> list[list[torch.Tensor]]:
    """Parameters that are of one shape once they are wide, together, to be computed as one batch."""
    batches: dict[tuple[int, ...], list[torch.Tensor]] = {}
    for p in params:
        batches.setdefault(tuple(_wide(p).shape), []).append(p)
    return list(batches.values())


def _share(params: list[torch.Tensor]) -> int:
    """How many of the matrices of a batch each rank owns; the last ranks may own fewer."""
    return -(-len(params) // dist.get_world_size())
