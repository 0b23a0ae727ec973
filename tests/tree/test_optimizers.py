"""Muon's update, and the sharded optimizers against one process."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from nanochat.adamw import DistAdamW
from nanochat.gpt import GPT, GPTConfig
from nanochat.muon import DistMuon, Muon, orthogonalize

# Muon's update


@pytest.mark.parametrize("shape", [(64, 64), (48, 192), (192, 48), (16, 400), (5, 3), (1, 7)])
def test_singular_values_of_the_update_lie_in_their_band(shape: tuple[int, int]) -> None:
    torch.manual_seed(sum(shape))
    rank = min(shape)
    u, v = torch.linalg.qr(torch.randn(shape[0], rank))[0], torch.linalg.qr(torch.randn(shape[1], rank))[0]
    # Of the Frobenius norm, the largest singular values are a good part and the smallest a hundredth.
    values = torch.logspace(0, -1.2, rank)
    matrix = 37.0 * u @ torch.diag(values) @ v.T
    assert (values[-1] / values.norm()).item() > 0.01
    update = orthogonalize(matrix[None])[0]
    assert update.shape == shape
    found = torch.linalg.svdvals(update)
    assert found.min() > 0.68 and found.max() < 1.21

    # The directions are the gradient's own: only their lengths have changed.
    aligned = u.T @ update @ v
    torch.testing.assert_close(aligned, torch.diag(aligned.diagonal()), atol=2e-4, rtol=0)
    assert aligned.diagonal().min() > 0.68


def test_a_batch_is_orthogonalised_matrix_by_matrix_whatever_their_sizes() -> None:
    torch.manual_seed(0)
    batch = torch.randn(5, 12, 30) * torch.logspace(-6, 6, 5)[:, None, None]
    for update, matrix in zip(orthogonalize(batch), batch, strict=True):
        torch.testing.assert_close(update, orthogonalize(matrix[None])[0], atol=1e-5, rtol=0)
    assert not orthogonalize(torch.zeros(2, 4, 4)).any()


def reference_muon_step(
    weight: torch.Tensor, gradient: torch.Tensor, momentum_buffer: torch.Tensor, lr: float, momentum: float
) -> None:
    """Muon's definition for one matrix, in float64, in place."""
    momentum_buffer.mul_(momentum).add_(gradient, alpha=1 - momentum)
    x = (1 - momentum) * gradient + momentum * momentum_buffer  # Nesterov
    x = x / x.norm()
    for _ in range(5):
        x = 3.4445 * x - 4.7750 * (x @ x.T) @ x + 2.0315 * (x @ x.T) @ (x @ x.T) @ x
    weight.sub_(x, alpha=lr * max(1.0, weight.size(0) / weight.size(1)) ** 0.5)


def test_steps_are_those_of_the_definition() -> None:
    torch.manual_seed(0)
    shapes = [(8, 8), (8, 24), (24, 8), (8, 8), (3, 8), (24, 8)]
    weights = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    expected = [weight.detach().double() for weight in weights]
    buffers = [torch.zeros_like(weight) for weight in expected]
    optimizer = Muon(weights, lr=0.03, momentum=0.9)
    for step in range(6):
        optimizer.param_groups[0]["lr"] = 0.03 / (step + 1)
        for weight, reference, buffer in zip(weights, expected, buffers, strict=True):
            gradient = torch.randn_like(reference)
            weight.grad = gradient.float()
            reference_muon_step(reference, gradient, buffer, 0.03 / (step + 1), 0.9)
        optimizer.step()
        for weight, reference in zip(weights, expected, strict=True):
            torch.testing.assert_close(weight.detach().double(), reference, atol=2e-4, rtol=0)


def test_muon_leaves_gradients_and_parameters_without_one_alone() -> None:
    moving, resting = torch.nn.Parameter(torch.randn(4, 6)), torch.nn.Parameter(torch.randn(4, 6))
    moving.grad = torch.randn(4, 6)
    gradient, before = moving.grad.clone(), resting.detach().clone()
    Muon([moving, resting]).step()
    assert torch.equal(moving.grad, gradient) and torch.equal(resting, before)


def test_muon_is_for_matrices() -> None:
    with pytest.raises(ValueError, match="matrices"):
        Muon([torch.nn.Parameter(torch.zeros(3))])


# Sharded over processes. The parameters and gradients are made up, so that shapes can be awkward.

WORLD_SIZE = 2
STEPS = 30
MATRICES = [(8, 8), (24, 8), (8, 24), (8, 8), (8, 8), (5, 8)]  # an odd number of (8, 8), a (5, 8) alone
TABLES = [(10, 6), (7, 6), (4,), (3,)]  # rows that two processes can share, and that they cannot
TINY = GPTConfig(sequence_len=8, vocab_size=31, n_layer=1, n_head=2, n_kv_head=1, n_embd=16)

Parameters = dict[str, list[torch.nn.Parameter]]
Optimizers = dict[str, torch.optim.Optimizer]


def make_parameters() -> Parameters:
    generator = torch.Generator().manual_seed(3)
    return {
        name: [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]
        for name, shapes in (("muon", MATRICES), ("adamw", TABLES))
    }


def make_optimizers(parameters: Parameters, distributed: bool) -> Optimizers:
    muon, adamw = (DistMuon, DistAdamW) if distributed else (Muon, torch.optim.AdamW)
    groups = [
        {"params": parameters["adamw"][:2], "lr": 0.01},
        {"params": parameters["adamw"][2:], "lr": 0.002, "weight_decay": 0.1},
    ]
    return {
        "muon": muon(parameters["muon"], lr=0.02, momentum=0.95),
        "adamw": adamw(groups, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0),
    }


def gradients_of(parameters: Parameters, step: int, rank: int) -> dict[str, list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(1000 * rank + step)
    return {
        name: [torch.randn(p.shape, generator=generator) for p in group] for name, group in parameters.items()
    }


def train(
    parameters: Parameters, optimizers: Optimizers, steps: range, gradient: Callable[[int], dict[str, Any]]
) -> None:
    for step in steps:
        gradients = gradient(step)
        for name, optimizer in optimizers.items():
            for p, g in zip(parameters[name], gradients[name], strict=True):
                p.grad = g
            optimizer.param_groups[0]["lr"] *= 0.99
            optimizer.step()


def train_alone(parameters: Parameters, optimizers: Optimizers, steps: range) -> None:
    """One process with the mean of the gradients that the ranks have."""

    def mean(step: int) -> dict[str, list[torch.Tensor]]:
        by_rank = [gradients_of(parameters, step, rank) for rank in range(WORLD_SIZE)]
        return {
            name: [torch.stack(grads).mean(0) for grads in zip(*(g[name] for g in by_rank), strict=True)]
            for name in parameters
        }

    train(parameters, optimizers, steps, mean)


def train_sharded(parameters: Parameters, optimizers: Optimizers, steps: range) -> None:
    train(parameters, optimizers, steps, lambda step: gradients_of(parameters, step, dist.get_rank()))


def state_dicts(optimizers: Optimizers) -> dict[str, Any]:
    return {name: copy.deepcopy(optimizer.state_dict()) for name, optimizer in optimizers.items()}


def rank_main(rank: int, folder: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=(folder / "rendezvous").as_uri(), rank=rank, world_size=WORLD_SIZE
    )
    parameters = make_parameters()
    optimizers = make_optimizers(parameters, distributed=True)
    halfway = STEPS // 2
    train_sharded(parameters, optimizers, range(halfway))
    saved = {"parameters": copy.deepcopy(parameters), "optimizers": state_dicts(optimizers)}
    own_numbers = {
        name: sum(value.numel() for state in optimizer.state.values() for value in state.values())
        for name, optimizer in optimizers.items()
    }
    train_sharded(parameters, optimizers, range(halfway, STEPS))

    # Go on from what one process saved.
    resumed = torch.load(folder / "alone.pt", weights_only=False)
    resumed_optimizers = make_optimizers(resumed["parameters"], distributed=True)
    for name, optimizer in resumed_optimizers.items():
        optimizer.load_state_dict(resumed["optimizers"][name])
    train_sharded(resumed["parameters"], resumed_optimizers, range(halfway, STEPS))

    names = [type(optimizer).__name__ for optimizer in GPT(TINY).setup_optimizers()]
    torch.save(
        {
            "final": parameters,
            "resumed": resumed["parameters"],
            "saved": saved,
            "own_numbers": own_numbers,
            "names": names,
        },
        folder / f"rank{rank}.pt",
    )
    dist.destroy_process_group()
    # The threads of a process group can abort an interpreter that shuts down, after all is done.
    os._exit(0)


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """One process: what it saved halfway, and where it ended."""
    parameters = make_parameters()
    optimizers = make_optimizers(parameters, distributed=False)
    train_alone(parameters, optimizers, range(STEPS // 2))
    halfway = {"parameters": copy.deepcopy(parameters), "optimizers": state_dicts(optimizers)}
    train_alone(parameters, optimizers, range(STEPS // 2, STEPS))
    return {"halfway": halfway, "final": parameters}


@pytest.fixture(scope="module")
def ranks(alone: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.save(alone["halfway"], folder / "alone.pt")
    mp.spawn(rank_main, args=(folder,), nprocs=WORLD_SIZE)
    return [torch.load(folder / f"rank{rank}.pt", weights_only=False) for rank in range(WORLD_SIZE)]


def assert_same_parameters(found: Parameters, expected: Parameters) -> None:
    for name in expected:
        for p, right in zip(found[name], expected[name], strict=True):
            torch.testing.assert_close(p, right, atol=1e-5, rtol=0)


def test_two_processes_end_where_one_does(alone: dict[str, Any], ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert_same_parameters(rank["final"], alone["final"])
    for name in ("muon", "adamw"):
        for first, second in zip(*(rank["final"][name] for rank in ranks), strict=True):
            assert torch.equal(first, second)


def test_two_processes_resume_what_one_saved(alone: dict[str, Any], ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert_same_parameters(rank["resumed"], alone["final"])


def test_one_process_resumes_what_two_saved(alone: dict[str, Any], ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:  # every rank has the complete state
        saved = copy.deepcopy(rank["saved"])
        optimizers = make_optimizers(saved["parameters"], distributed=False)
        for name, optimizer in optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])
        train_alone(saved["parameters"], optimizers, range(STEPS // 2, STEPS))
        assert_same_parameters(saved["parameters"], alone["final"])


def test_saved_state_has_the_form_that_one_process_saves(
    alone: dict[str, Any], ranks: list[dict[str, Any]]
) -> None:
    for name, expected in alone["halfway"]["optimizers"].items():
        found = ranks[0]["saved"]["optimizers"][name]
        assert found["param_groups"] == expected["param_groups"]
        assert found["state"].keys() == expected["state"].keys()
        for index, state in expected["state"].items():
            assert found["state"][index].keys() == state.keys()
            for key, value in state.items():
                torch.testing.assert_close(found["state"][index][key], value, atol=1e-5, rtol=1e-5)


def test_each_process_holds_its_share_of_the_state(
    alone: dict[str, Any], ranks: list[dict[str, Any]]
) -> None:
    for name in ("muon", "adamw"):
        whole = sum(
            value.numel()
            for state in alone["halfway"]["optimizers"][name]["state"].values()
            for value in state.values()
        )
        assert all(rank["own_numbers"][name] < 0.75 * whole for rank in ranks)
    assert sum(rank["own_numbers"]["muon"] for rank in ranks) == sum(a * b for a, b in MATRICES)


def test_a_model_among_several_processes_gets_the_sharded_optimizers(ranks: list[dict[str, Any]]) -> None:
    assert all(rank["names"] == ["DistAdamW", "DistMuon"] for rank in ranks)
