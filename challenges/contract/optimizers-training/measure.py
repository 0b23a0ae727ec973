"""Lets a model's own optimizers take steps with given gradients, as a schedule scales their rates."""

from bughunt.lab.measuring.matrices import generator_of, give_gradients, matrix_of, moves, values_of
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.shapes import shape_of

STEPS = 3
# Weights whose gradients may be of all magnitudes.
ELEMENTWISE = ("lm_head.weight", "transformer.wte.weight")


def draw(rng):
    """Shapes, options, and what the rates are multiplied by at each step; one weight has no gradient."""
    options = {"unembedding_lr": 0.3, "embedding_lr": 0.7, "matrix_lr": 0.2}
    cases = {
        "by default": (shape_of(3, 1, layers=1), {}),
        "with decay": (
            shape_of(2, 2, layers=2),
            {**options, "weight_decay": round(rng.uniform(0.1, 0.5), 2)},
        ),
    }
    return {
        place: {
            "shape": shape,
            "options": given,
            "multipliers": [round(rng.uniform(0.3, 1.0), 3) for _ in range(STEPS)],
            "seed": rng.randrange(1 << 30),
        }
        for place, (shape, given) in cases.items()
    }


def measure(inputs):
    """For every case and step how far each weight goes, in hundredths."""
    return {place: train(case) for place, case in inputs.items()}


def train(case):
    model = make_model(**case["shape"]).train()
    randomise(model, case["seed"])
    names, weights = zip(*model.named_parameters(), strict=True)
    optimizers = model.setup_optimizers(**case["options"])
    found = {}
    for number, multiplier in enumerate(case["multipliers"]):
        give_gradients(weights, case["seed"] + number, [3] if number < 2 else [])
        for name, weight in zip(names, weights, strict=True):
            if name in ELEMENTWISE:
                weight.grad = of_all_magnitudes(weight, case["seed"] + number)
        before = values_of(weights)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * multiplier
            optimizer.step()
        found[f"step {number}"] = dict(zip(names, moves(weights, before, 0.01), strict=True))
    return found


def of_all_magnitudes(weight, seed):
    """Down to where AdamW's epsilon shows."""
    import torch

    generator = generator_of(seed)
    size = 10.0 ** (torch.rand(weight.shape, generator=generator) * -10.0)
    return matrix_of(weight.shape, generator) * size
