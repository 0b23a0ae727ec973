"""Stops after some steps, and goes on with other optimizers that take over the state of the first."""

import copy

from bughunt.lab.measuring.matrices import give_gradients, moves, parameters_of, values_of
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.shapes import shape_of

SHAPES = [(4, 8), (8, 4), (5, 5)]
RATE = 0.2


def draw(rng):
    """A model, how many steps come before and after, and a momentum."""
    return {
        "shape": shape_of(2, 1, layers=2),
        "before": rng.randint(1, 3),
        "momentum": round(rng.uniform(0.5, 0.9), 2),
        "seed": rng.randrange(1 << 30),
    }


def measure(inputs):
    """Where Muon goes with a state taken over; whether a model's optimizers go where they would have."""
    return {"Muon": go_on(inputs), "as if never stopped": model_goes_on(inputs)}


def steps(parameters, optimizers, seed, many):
    for number in range(many):
        give_gradients(parameters, seed + number, [2] if number == 0 else [])
        for optimizer in optimizers:
            optimizer.step()


def saved(states):
    """As they are read from a file."""
    import io

    import torch

    file = io.BytesIO()
    torch.save(states, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def go_on(inputs):
    """The second Muon was made for another rate and another momentum, which the state replaces."""
    from nanochat.muon import Muon

    first = parameters_of(SHAPES, inputs["seed"])
    optimizer = Muon(first, lr=RATE, momentum=inputs["momentum"], nesterov=False, ns_steps=3)
    steps(first, [optimizer], inputs["seed"], inputs["before"])
    second = parameters_of(SHAPES, inputs["seed"])
    other = Muon(second)
    other.load_state_dict(saved(optimizer.state_dict()))
    before = values_of(second)
    steps(second, [other], inputs["seed"] + 10, 2)
    return moves(second, before, RATE)


def model_goes_on(inputs):
    model = make_model(**inputs["shape"])
    randomise(model, inputs["seed"])
    optimizers = model.setup_optimizers()
    steps(list(model.parameters()), optimizers, inputs["seed"], inputs["before"])
    other = copy.deepcopy(model)
    others = other.setup_optimizers(unembedding_lr=0.1, embedding_lr=0.1, matrix_lr=0.1)
    for one, state in zip(others, saved([one.state_dict() for one in optimizers]), strict=True):
        one.load_state_dict(state)
    steps(list(model.parameters()), optimizers, inputs["seed"] + 10, 2)
    steps(list(other.parameters()), others, inputs["seed"] + 10, 2)
    pairs = zip(model.parameters(), other.parameters(), strict=True)
    return bool(max((one - two).abs().max().item() for one, two in pairs) < 1e-6)
