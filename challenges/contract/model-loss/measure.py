"""Asks a model for the loss of many single tokens, in every form, and for its gradients.

Texts of one token leave nothing to attend to, so the numbers are exact; there are more of them than a loss
that is computed in chunks has in one. All targets of one stretch are ignored.
"""

import math

from bughunt.lab.measuring.shapes import draw_ids, model_of, shape_of

REDUCTIONS = ("mean", "sum", "none")
# Where there are exact slopes without a token before it; the head's are named last.
TRAINED = ("transformer.wte.weight", "transformer.h.0.attn.c_v.weight", "lm_head.weight")


def draw(rng):
    """Tokens and their targets, -1 for those that do not count; what each loss counts for in a sum."""
    shape = shape_of(2, 2, vocabulary=9)
    tokens = rng.randint(770, 800)
    targets = [[-1 if rng.random() < 0.3 else rng.randrange(9)] for _ in range(tokens)]
    targets[250:520] = [[-1]] * 270
    targets[-2:] = [[0], [8]]
    return {
        "shape": shape,
        "ids": draw_ids(rng, shape, tokens, 1),
        "targets": targets,
        "shares": [round(rng.uniform(-2.0, 2.0), 3) for _ in range(tokens)],
        "factor": rng.choice([-0.5, 3.0]),
        "seed": rng.randrange(1 << 30),
    }


def measure(inputs):
    """For each reduction the loss, with and without gradients, and the slopes of some weights.

    A mean's slopes are given for a loss that is multiplied by a thousand.
    """
    import torch

    model = model_of(inputs["shape"], inputs["seed"], loudness=4.0).train()
    ids, targets = torch.tensor(inputs["ids"]), torch.tensor(inputs["targets"])
    few, few_targets = ids[-40:], targets[-40:]
    found = {}
    for reduction in REDUCTIONS:
        loss = model(ids, targets, loss_reduction=reduction)
        with torch.no_grad():
            alone = model(ids, targets, loss_reduction=reduction)
        if reduction == "none":
            total = (loss * torch.tensor(inputs["shares"])).sum()
        else:
            total = loss * (1000.0 if reduction == "mean" else inputs["factor"])
        found[reduction] = {
            "loss": loss.tolist(),
            "numbers": str(loss.dtype),
            "loss without gradients": alone.tolist(),
            "needs no gradients": not alone.requires_grad,
            "slopes": slopes(model, total),
        }
    found["by default"] = model(few, few_targets).item()
    twice = model(few, few_targets, loss_reduction="sum")
    twice.backward(retain_graph=True)
    found["slopes of one loss, added twice"] = slopes(model, twice)
    found["no targets that count"] = nothing_counts(model, few)
    found["other reductions fail"] = [
        fails(model, few, few_targets, word) for word in ("average", "", "Mean")
    ]
    found["parts that are held fixed"] = held_fixed(model, few, few_targets)
    found["of a head alone"] = head_alone(model.lm_head.weight.detach(), ids[:300], few_targets)
    return found


def slopes(model, loss):
    """The gradients of the weights after those of the loss are added; they are gone afterwards."""
    loss.backward()
    weights = dict(model.named_parameters())
    found = {name: weights[name].grad.tolist() for name in TRAINED if weights[name].grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def nothing_counts(model, ids):
    """The losses where every target is ignored; text for the mean, which is not a number."""
    import torch

    ignored = torch.full_like(ids, -1)
    mean, total, each = (model(ids, ignored, loss_reduction=reduction) for reduction in REDUCTIONS)
    return {
        "mean": "not a number" if math.isnan(mean.item()) else mean.item(),
        "sum": total.item(),
        "none": each.tolist(),
    }


def head_alone(weight, ids, targets):
    """The loss by default of positions that are nothing but their channels, which stay as they are."""
    import torch
    from nanochat.cross_entropy import head_cross_entropy

    positions = weight[ids.flatten()].requires_grad_()
    targets = targets.flatten().repeat(8)[: len(positions)]
    before = positions.detach().clone()
    loss = head_cross_entropy(positions, weight, targets)
    loss.backward()
    return {
        "loss": loss.item(),
        "positions are as they were": torch.equal(positions, before),
        "slopes": (100.0 * positions.grad).tolist(),
    }


def fails(model, ids, targets, reduction):
    try:
        model(ids, targets, loss_reduction=reduction)
    except ValueError:
        return True
    return False


def held_fixed(model, ids, targets):
    """Slopes where the head does not learn, and where nothing but the head does."""
    found = {}
    for place, held in (("the head", ("lm_head",)), ("all but the head", ("transformer",))):
        for name, weight in model.named_parameters():
            weight.requires_grad_(not name.startswith(held))
        found[place] = slopes(model, model(ids, targets, loss_reduction="sum"))
        found[f"{place}, afterwards"] = sum(not weight.requires_grad for weight in model.parameters())
    return found
