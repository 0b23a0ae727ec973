"""Asks models with wide heads, whose channels turn at different speeds, about texts of all lengths.

Texts are as long as a model is made for and longer, at once and in later calls; models are read with and
without a cache, fresh and brought from the meta device, to train, to evaluate and for inference alone. All
query heads have keys of their own, and there is no cache but in models of one layer.
"""

from bughunt.lab.measuring.shapes import draw_ids, model_of, read_in_pieces, shape_of

# Tokens of a long text, and the pair of channels, of six, that is heard in it.
LONG, PAIR = 1200, 1


def draw(rng):
    """Shapes and texts, each with the pieces that it is read in (one: without a cache)."""
    limit = rng.randint(6, 8)
    cases = {
        "up to the limit": (shape_of(2, 2, layers=2, head_dim=8, limit=24), [24]),
        "one beyond the limit": (shape_of(1, 1, head_dim=16, limit=limit), [limit + 1]),
        "far beyond the limit": (shape_of(2, 2, head_dim=6, limit=4), [rng.randint(40, 48)]),
        "in pieces": (shape_of(2, 2, head_dim=8, limit=32), [limit, 1, 4, 1, 1, 3]),
        "in pieces, beyond the limit": (shape_of(1, 1, head_dim=12, limit=limit), [limit, 1, 1, limit, 2, 9]),
        "token by token": (shape_of(2, 2, head_dim=4, limit=3), [1] * 12),
    }
    return {
        place: {
            "shape": shape,
            "pieces": pieces,
            "ids": draw_ids(rng, shape, 1 if sum(pieces) > 30 else 2, sum(pieces)),
            "seed": rng.randrange(1 << 30),
        }
        for place, (shape, pieces) in cases.items()
    }


def measure(inputs):
    """The logits of every case, and again: after a longer text, for inference alone, and to train.

    `later` holds the logits of a text within the limit after one beyond it.
    """
    import torch

    found = {}
    for number, (place, case) in enumerate(inputs.items()):
        model = model_of(case["shape"], case["seed"], emptied=number % 2 == 0)
        ids, pieces = torch.tensor(case["ids"]), case["pieces"]
        read = read_in_pieces if len(pieces) > 1 else lambda model, ids, _: model(ids)
        with torch.inference_mode(number % 3 == 0):
            first = read(model, ids, pieces).tolist()
        found[place] = {
            "logits": first,
            "later": model.train(number % 2 == 1)(ids[:, -3:]).tolist(),
        }
    found["a long text"] = [long_text(case["seed"] + number) for number in range(3)]
    return found


def long_text(seed):
    """The last logits of a text of over a thousand tokens, by a model that hears where tokens are, not which.

    It hears one pair of channels, and the two tokens of the text take turns as that pair turns; so whoever
    takes a position or a frequency for a slightly different one hears the other token.
    """
    import torch

    shape = shape_of(1, 1, head_dim=12, limit=LONG)
    model = model_of(shape, seed, loudness=2.0)
    with torch.no_grad():
        model.transformer.wte.weight[:, 0] = 1.0
        block = model.transformer.h[0]
        for linear in (block.attn.c_q, block.attn.c_k):
            linear.weight.zero_()
            linear.weight[PAIR, 0] = 1.0
        block.attn.c_proj.weight.mul_(8.0)
        block.mlp.c_proj.weight.zero_()
        angles = torch.arange(LONG, dtype=torch.float64) * 10000.0 ** (-PAIR / 6)
        return model((angles.cos() > 0).long()[None] * 10)[0, -40:].tolist()
