"""Looks how much memory a loss takes while it is computed, and until its gradients are.

The logits of all positions at the same time would be by far the largest tensor of a training step.
"""

from bughunt.lab.measuring.graphs import held_for_backward
from bughunt.lab.measuring.shapes import draw_ids, model_of, shape_of
from bughunt.lab.measuring.tensor_sizes import largest_made

# So many, and so large a vocabulary, that neither a chunk of 512 tokens nor one of 4 MB holds most of them.
TOKENS, VOCABULARY, MOST = 768, 1600, 0.9


def draw(rng):
    """Many tokens, and a vocabulary that is large beside all else."""
    shape = shape_of(2, 1, vocabulary=VOCABULARY + rng.randint(0, 60))
    return {"shape": shape, "ids": draw_ids(rng, shape, TOKENS, 1), "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Are most of all logits in one tensor, or in all that is kept for the gradients?"""
    import torch

    model, ids = model_of(inputs["shape"], inputs["seed"]).train(), torch.tensor(inputs["ids"])
    many = MOST * TOKENS * inputs["shape"]["vocab_size"]
    found = {}
    for reduction in ("mean", "sum"):
        with largest_made() as largest, held_for_backward(model) as held:
            loss = model(ids, ids, loss_reduction=reduction)
            kept = held.now
            loss.backward()
        found[reduction] = {"one tensor": largest() >= many, "kept for the gradients": kept >= many}
    with torch.no_grad():
        for reduction in ("mean", "none"):
            with largest_made() as largest:
                model(ids, ids, loss_reduction=reduction)
            found[f"{reduction}, without gradients"] = {"one tensor": largest() >= many}
    return {"most of all logits in": found}
