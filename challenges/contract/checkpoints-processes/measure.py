"""The state of sharded optimizers in a checkpoint: complete, and of use to one process or to two."""

from bughunt.lab.measuring.gangs import together

ROWS = (4, 3, 4, 2)  # of the weights, of which two processes can share some


def draw(rng):
    """Weights with four columns, and their gradients in two steps of either process."""

    def matrices():
        return [[[round(rng.uniform(-1, 1), 3) for _ in range(4)] for _ in range(rows)] for rows in ROWS]

    return {"weights": matrices(), "gradients": [[matrices(), matrices()] for _ in range(2)]}


def measure(inputs):
    """What two processes save of each optimizer, and what it is after it was loaded; `None` where there can
    be no second process."""
    from tempfile import mkdtemp

    from nanochat import adamw, checkpoint_manager, muon  # noqa: F401 - imported once for both

    folders = [mkdtemp(), mkdtemp()]
    return together(2, lambda rank: work(rank, inputs, folders))


def work(rank, inputs, folders):
    mine = {"weights": inputs["weights"], "gradients": inputs["gradients"][rank]}
    moments = ("exp_avg", "exp_avg_sq", "step")
    return {
        "AdamW": saved_and_loaded(rank, folders[0], *adamw(), mine, moments),
        "Muon": saved_and_loaded(rank, folders[1], *muon(), mine, ("momentum_buffer",)),
    }


def adamw():
    """Optimizers by the number of processes: of two, of one."""
    import torch
    from nanochat.adamw import DistAdamW

    options = {"lr": 0.01, "betas": (0.8, 0.9), "eps": 1e-8, "weight_decay": 0.0}
    return lambda ws: DistAdamW(ws, **options), lambda ws: torch.optim.AdamW(ws, **options)


def muon():
    """Optimizers by the number of processes: of two, of one."""
    from nanochat.muon import DistMuon, Muon

    return lambda ws: DistMuon(ws, lr=0.01, momentum=0.9), lambda ws: Muon(ws, lr=0.01, momentum=0.9)


def saved_and_loaded(rank, folder, of_two, of_one, inputs, names):
    """States in the checkpoint in the folder of both, and after another step of those that loaded it."""
    from pathlib import Path

    import torch.distributed as dist
    from nanochat.checkpoint_manager import load_checkpoint, save_checkpoint

    from bughunt.lab.measuring.flushing import flushes_noted

    folder = Path(folder)
    optimizer = of_two(weights_of(inputs))
    step(optimizer, inputs, 0)
    with flushes_noted():
        save_checkpoint(folder, 1, {}, [optimizer.state_dict()], {}, rank=rank)
    dist.barrier()
    data = {"saved": states(load_checkpoint(folder, 1).optimizer_states[0], names)}
    step(optimizer, inputs, 1)
    data["goes on after it"] = states(optimizer.state_dict(), names)
    again = of_two(weights_of(inputs))
    again.load_state_dict(load_checkpoint(folder, 1).optimizer_states[0])
    data["loaded by two"] = states(again.state_dict(), names)
    step(again, inputs, 1)
    data["loaded by two, a step later"] = states(again.state_dict(), names)
    alone = of_one(weights_of(inputs))
    alone.load_state_dict(load_checkpoint(folder, 1).optimizer_states[0])
    step(alone, inputs, 1)
    data["loaded by one, a step later"] = states(alone.state_dict(), names)
    return data


def weights_of(inputs):
    """The weights as parameters."""
    import torch

    return [torch.nn.Parameter(torch.tensor(one)) for one in inputs["weights"]]


def step(optimizer, inputs, number):
    """A step along the gradients of this number."""
    import torch

    for weight, gradient in zip(
        optimizer.param_groups[0]["params"], inputs["gradients"][number], strict=True
    ):
        weight.grad = torch.tensor(gradient)
    optimizer.step()


def states(state_dict, names):
    """The values of each weight's state by its number, and the groups' learning rates."""
    values = {
        str(key): {name: state[name].tolist() for name in names}
        for key, state in sorted(state_dict["state"].items())
    }
    return [values, [[group["lr"], list(group["params"])] for group in state_dict["param_groups"]]]
