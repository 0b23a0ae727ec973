"""Reads texts through a cache, at once and in pieces, with models of one and of several layers."""

from bughunt.lab.measuring.models import cache_for
from bughunt.lab.measuring.shapes import draw_ids, model_of, read_in_pieces, shape_of


def draw(rng):
    """Models and the pieces that their texts are read in; caches large enough, and too small."""
    cases = {
        "one piece": (shape_of(3, 3, layers=2), [rng.randint(5, 8)], None),
        "a prompt, then token by token": (shape_of(3, 3, layers=2), [4, 1, 1, 1], None),
        "several pieces": (shape_of(4, 1, layers=3), [1, rng.randint(2, 4), 3, 1], None),
        "a cache that is too small": (shape_of(2, 2), [3, 2, 1, 4], rng.randint(2, 4)),
    }
    return {
        place: {
            "shape": shape,
            "pieces": pieces,
            "capacity": capacity,
            "ids": draw_ids(rng, shape, 2, sum(pieces)),
            "seed": rng.randrange(1 << 30),
        }
        for place, (shape, pieces, capacity) in cases.items()
    }


def measure(inputs):
    """The logits of every case, and the loss of a text's second half after its first, with where it ends."""
    import torch

    found = {}
    with torch.no_grad():
        for place, case in inputs.items():
            model, ids = model_of(case["shape"], case["seed"]), torch.tensor(case["ids"])
            found[place] = {
                "logits": read_in_pieces(model, ids, case["pieces"], case["capacity"]).tolist(),
                **loss_of_the_rest(model, ids),
            }
    return found


def loss_of_the_rest(model, ids):
    """The targets are the inputs, moved by one."""
    cache, half = cache_for(model, *ids.shape), ids.size(1) // 2
    model(ids[:, :half], kv_cache=cache)
    loss = model(ids[:, half:-1], ids[:, half + 1 :], kv_cache=cache)
    return {"loss of the rest": loss.item(), "positions read": int(cache.get_pos())}
