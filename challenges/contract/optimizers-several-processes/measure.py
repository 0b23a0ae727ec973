"""Lets two processes train together, each with gradients of its own, and looks where their weights go."""

from copy import deepcopy

from bughunt.lab.measuring.gangs import together
from bughunt.lab.measuring.matrices import give_gradients, moves, parameters_of, values_of
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.shapes import shape_of
from bughunt.lab.measuring.tensor_sizes import elements_of

# Of Muon's matrices three are alike once they are laid on their side, and one is like no other; the two
# processes can share the rows of some of AdamW's tensors, and not those of others.
SHAPES = {
    "Muon": [(3, 6), (6, 3), (3, 6), (4, 4), (2, 5), (5, 2)],
    "AdamW": [(6, 2), (3, 2), (4,), (1,), (), (2, 3)],
}
# The last has no gradient before the processes pause, another none in the second step.
NEVER, LATE = 5, 1
RATE = 0.1


def draw(rng):
    """Options of the optimizers, and a seed."""
    options = {
        "Muon": {"lr": RATE, "momentum": round(rng.uniform(0.5, 0.9), 2)},
        "AdamW": {
            "lr": RATE,
            "betas": [round(rng.uniform(0.5, 0.7), 2), round(rng.uniform(0.8, 0.95), 2)],
            "eps": 0.01,
            "weight_decay": round(rng.uniform(0.1, 0.9), 2),
            "fused": True,
        },
    }
    return {"options": options, "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Where the weights of the two processes go, and those of one that goes on with their state, and of two
    that go on with its state. `None` where there can be no second process."""
    return together(2, lambda rank: work(rank, inputs))


def work(rank, inputs):
    import torch
    from nanochat.adamw import DistAdamW
    from nanochat.muon import DistMuon, Muon

    kinds = {"Muon": (DistMuon, Muon), "AdamW": (DistAdamW, torch.optim.AdamW)}
    found = {
        name: train(rank, inputs["seed"], inputs["options"][name], SHAPES[name], *kind)
        for name, kind in kinds.items()
    }
    found["all hold the same model"] = agree(rank, inputs["seed"])
    vectors = parameters_of([(6,), (4,)], inputs["seed"])
    adamw = DistAdamW(vectors, **inputs["options"]["AdamW"])
    step(adamw, vectors, inputs["seed"] + rank)
    found["a process holds the state of all elements of vectors"] = held(adamw.state) > 0.9 * 2 * 10
    return found


def train(rank, seed, options, shapes, several, alone):
    """Two steps of several, one of each with the state of the other kind."""
    parameters = parameters_of(shapes, seed)
    optimizer = several(parameters, **options)
    found = {}
    for number in range(2):
        found[f"step {number}"] = step(
            optimizer, parameters, seed + 10 * number + rank, [NEVER, LATE][: number + 1]
        )
    state = deepcopy(optimizer.state_dict())  # as if saved: it may be what the optimizer goes on with
    found["a process holds all of the state"] = held(optimizer.state) > 0.9 * held(state["state"])
    # one process with the state of two
    single = parameters_of(shapes, seed)
    one = alone(single, **options)
    one.load_state_dict(state)
    found["one goes on"] = step(one, single, seed + 30)
    # two with the state of one
    again = parameters_of(shapes, seed)
    two = several(again, **{**options, "lr": 0.5})
    two.load_state_dict(deepcopy(one.state_dict()))
    found["two go on"] = step(two, again, seed + 40 + rank)
    found["a process holds all of a state loaded"] = held(two.state) > 0.9 * held(state["state"])
    found["two go on after a pause"] = step(optimizer, parameters, seed + 50 + rank)
    # two with the state of one that has not begun
    fresh = parameters_of(shapes, seed)
    new = several(fresh, **options)
    new.load_state_dict(alone(parameters_of(shapes, seed), **options).state_dict())
    found["two begin"] = step(new, fresh, seed + 60 + rank)
    return found


def held(states):
    """How many elements the matrices and vectors have that an optimizer keeps, by parameter and name."""
    tensors = [tensor for one in states.values() for tensor in one.values()]
    return sum(elements_of(tensor) for tensor in tensors if tensor.ndim)


def step(optimizer, parameters, seed, without=()):
    give_gradients(parameters, seed, without)
    before = values_of(parameters)
    optimizer.step()
    return moves(parameters, before, RATE)


def agree(rank, seed):
    """Do the weights of both processes stay the same when each has gradients of its own?"""
    import torch
    import torch.distributed as dist

    model = make_model(**shape_of(2, 1, layers=1))
    randomise(model, seed)
    weights = list(model.parameters())
    give_gradients(weights, seed + rank)
    for optimizer in model.setup_optimizers():
        optimizer.step()
    mine = torch.cat([weight.detach().flatten() for weight in weights])
    of_the_first = mine.clone()
    dist.broadcast(of_the_first, src=0)
    return torch.equal(mine, of_the_first)
