"""Asks for the gradients of all weights of small models, in all the states that a model is trained in.

The heads have two channels, and share one key/value head or none.
"""

from bughunt.lab.measuring.shapes import draw_ids, model_of, shape_of, steady


def draw(rng):
    """Models and texts: within the limit, beyond it, and after the model was used for inference."""
    cases = {
        "set to train": shape_of(2, 2, layers=2),
        "set to evaluate": shape_of(3, 1),
        "used beyond its limit before": shape_of(2, 2, limit=4),
        "beyond its limit": shape_of(2, 1, limit=3),
    }
    return {
        place: {
            "shape": shape,
            "ids": draw_ids(rng, shape, 2, 6),
            "targets": [
                [-1 if rng.random() < 0.2 else rng.randrange(11) for _ in range(6)] for _ in range(2)
            ],
            "seed": rng.randrange(1 << 30),
        }
        for place, shape in cases.items()
    }


def measure(inputs):
    """For every case each token's loss, and the gradients of all weights after the losses' sum."""
    import torch

    found = {}
    for place, case in inputs.items():
        model = steady(model_of(case["shape"], case["seed"])).train(place != "set to evaluate")
        ids, targets = torch.tensor(case["ids"], dtype=torch.int32), torch.tensor(case["targets"])
        if "before" in place:
            with torch.inference_mode():
                model(ids)
        losses = model(ids, targets, loss_reduction="none")
        model(ids, targets, loss_reduction="sum").backward()
        found[place] = {
            "losses": losses.tolist(),
            "gradients": {
                name: "nothing" if weight.grad is None else weight.grad.tolist()
                for name, weight in model.named_parameters()
            },
        }
    return found
