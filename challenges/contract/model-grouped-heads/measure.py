"""Reads texts with models whose query heads share key/value heads in groups, and trains them for a step.

The heads have two channels, and models with a cache have one layer, so that neither the frequencies of wide
heads nor the positions of a cache over several layers have a part in it.
"""

from bughunt.lab.measuring.shapes import draw_ids, model_of, read_in_pieces, shape_of, steady

# Beyond this, bfloat16 is not what makes a logit differ.
COARSE = 0.5


def draw(rng):
    """Groupings, each with a text and the pieces that a cache reads it in."""
    groupings = [(4, 2, 2), (6, 3, 1), (6, 2, 1), (8, rng.choice([2, 4]), 1)]
    cases = {}
    for heads, kv_heads, layers in groupings:
        shape = shape_of(heads, kv_heads, layers=layers)
        pieces = [rng.randint(2, 3), 1, rng.randint(2, 3), 1]
        cases[f"{heads} heads, {kv_heads} of keys"] = {
            "shape": shape,
            "pieces": pieces,
            "ids": draw_ids(rng, shape, 2, sum(pieces)),
            "seed": rng.randrange(1 << 30),
        }
    return cases


def measure(inputs):
    """For every case the logits, those of a cache, and the slopes of the shared weights.

    `in twice the bytes` is the last case in float64. `in half the bytes`: is it the same in bfloat16, if a
    model of heads that share nothing runs in it?
    """
    import torch

    found = {}
    for place, case in inputs.items():
        model, ids = steady(model_of(case["shape"], case["seed"])), torch.tensor(case["ids"])
        found[place] = {"logits": model(ids).tolist()}
        if case["shape"]["n_layer"] == 1:
            found[place]["through a cache"] = read_in_pieces(model, ids, case["pieces"]).tolist()
        model.train()(ids, ids.roll(1, dims=1), loss_reduction="sum").backward()
        attention = model.transformer.h[-1].attn
        for name, linear in (("keys", attention.c_k), ("values", attention.c_v)):
            found[place][f"slopes of the {name}"] = linear.weight.grad.tolist()
    with torch.no_grad():
        model = model.double()
        found["in twice the bytes"] = [
            model(ids).tolist(),
            read_in_pieces(model, ids, case["pieces"]).tolist(),
        ]
    found["in half the bytes"] = in_half_the_bytes(case)
    shape = shape_of(4, 2, head_dim=4)
    found["as many heads as channels"] = model_of(shape, case["seed"])(ids[:, :1]).tolist()
    return found


def in_half_the_bytes(case):
    """Does a model with groups do in bfloat16 what one without does, whole and in pieces?

    Where a model without groups does not run in it, none needs to. Logits are float32 wherever they are.
    """
    import torch

    ids, kv_heads = torch.tensor(case["ids"]), case["shape"]["n_kv_head"]
    alike, numbers = [], {"torch.float32"}
    for heads in (case["shape"]["n_head"], kv_heads):
        model = model_of({**case["shape"], "n_kv_head": heads}, case["seed"])
        with torch.no_grad():
            right = model(ids)
            try:
                model = model.to(torch.bfloat16)
                found = [model(ids), read_in_pieces(model, ids, case["pieces"])]
            except Exception:
                alike.append([False])
                continue
        numbers.update(str(logits.dtype) for logits in found)
        alike.append([bool((logits - right).abs().mean() < COARSE) for logits in found])
    separate, grouped = alike
    return {"like heads apart": not all(separate) or all(grouped), "numbers": sorted(numbers)}
