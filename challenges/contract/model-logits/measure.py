"""Asks models of given weights for their logits.

The heads have two channels, and share one key/value head or none: what is particular to the frequencies of
wider heads and to groups of heads is asked elsewhere, and so is the cache.
"""

from bughunt.lab.measuring.shapes import draw_ids, model_of, shape_of


def draw(rng):
    """Shapes, weights and texts: as long as the model is made for, shorter, and single tokens."""
    layers, heads = rng.randint(2, 3), rng.randint(3, 5)
    cases = {
        "several layers, a full text": (shape_of(heads, heads, layers=layers), 2, 8, 1.0),
        "one layer, a shorter text": (shape_of(4, 4), 3, rng.randint(4, 7), 1.0),
        "heads that share all keys": (shape_of(heads, 1, layers=2), 2, 8, 1.0),
        "wide heads, single tokens": (shape_of(2, 2, layers=2, head_dim=8, vocabulary=30), 4, 1, 1.0),
        "loud answers, single tokens": (shape_of(2, 1, head_dim=4, vocabulary=40), 5, 1, 12.0),
    }
    return {
        place: {
            "shape": shape,
            "ids": draw_ids(rng, shape, rows, length),
            "loudness": loudness,
            "seed": rng.randrange(1 << 30),
        }
        for place, (shape, rows, length, loudness) in cases.items()
    }


def measure(inputs):
    """For every case the logits of each row, position and token of the vocabulary, and their dtype.

    Half the cases read 32-bit ids, as training does, and half of the models are set to train.
    """
    import torch

    found = {}
    for number, (place, case) in enumerate(inputs.items()):
        model = model_of(case["shape"], case["seed"], loudness=case["loudness"]).train(number % 2 == 0)
        ids = torch.tensor(case["ids"], dtype=(torch.int32, torch.int64)[number // 2 % 2])
        logits = model(ids)
        found[place] = {"logits": logits.tolist(), "numbers": str(logits.dtype)}
    return found
