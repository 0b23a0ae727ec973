"""Looks at what a model is made of: names and sizes of its weights, how many they are, what they cost."""

from bughunt.lab.measuring.shapes import shape_of
from bughunt.lab.measuring.weights import shapes_of


def draw(rng):
    """Shapes that differ in every number, and shapes whose numbers do not fit each other."""
    heads = rng.choice([4, 6])
    width = rng.choice([24, 36])
    good = {
        "grouped": shape_of(
            heads,
            2,
            layers=rng.randint(2, 4),
            head_dim=4,
            limit=rng.randint(9, 40),
            vocabulary=rng.randint(20, 90),
        ),
        "plain": shape_of(
            3, 3, layers=rng.randint(1, 2), head_dim=2, limit=12, vocabulary=rng.randint(9, 19)
        ),
    }
    fitting = {"n_embd": width, "n_head": 6, "n_kv_head": 3}
    others = [
        {},
        {"n_embd": width + 2},
        {"n_embd": 18},
        {"n_embd": 15},
        {"n_kv_head": 4},
        {"n_kv_head": 12},
        {"n_kv_head": 1},
        {"n_kv_head": 6},
        {"n_embd": 12},
    ]
    return {"good": good, "others": [{**fitting, **other} for other in others]}


def measure(inputs):
    """For every shape the weights' names and sizes, and two numbers; which other shapes are refused.

    `old weights fit` tells whether the weights of a model saved before can be taken over, all and only these.
    """
    from dataclasses import asdict

    import torch
    from nanochat.gpt import GPT, GPTConfig

    found = {"by default": asdict(GPTConfig())}
    for place, shape in inputs["good"].items():
        model = GPT(GPTConfig(**shape))
        old = {name: torch.zeros(size) for name, size in shapes_of(shape).items()}
        found[place] = {
            "weights": {name: list(weight.shape) for name, weight in sorted(model.state_dict().items())},
            "that learn": sorted(name for name, _ in model.named_parameters()),
            "numbers": sorted({str(weight.dtype) for weight in model.parameters()}),
            "parameters": model.num_parameters,
            "operations a token": model.estimate_flops(),
            "old weights fit": fits(model, old),
            "logits without fresh weights": list(model(torch.tensor([[0, 1, 2]])).shape),
            "its numbers are kept": asdict(model.config) == shape,
        }
    found["refused"] = [refused(GPTConfig, numbers) for numbers in inputs["others"]]
    return found


def fits(model, weights):
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        return False
    return not any(weight.any() for weight in model.parameters())


def refused(config, numbers):
    try:
        config(**numbers)
    except ValueError:
        return True
    return False
