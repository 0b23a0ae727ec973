"""Reads off, from what a model answers, how its attention turns with distance.

The weights are designed. A query token looks for one key token, `distance` positions back; all other tokens
have the key zero. The query and the key lie in one channel pair of one head, and the answer's logits tell the
attention weight exactly, so they tell the score: for a key of the query's direction it is the cosine of the
angle between the two, for a key a quarter turn away it is minus the sine.
"""

import math
from contextlib import nullcontext

from bughunt.lab.measuring.attempts import attempt, describe_error, trouble
from bughunt.lab.measuring.devices import trouble_elsewhere
from bughunt.lab.measuring.models import cache_for, make_model, zero

GAIN = 5.0
LONG = 600
# More than a model of 1,024 positions can tell apart without new tables.
LONGER = 1100


def draw(rng):
    """Models, and the channel pairs and distances to look at; tables to ask for."""
    long = {"pairs": 3, "distances": [LONG - 1, LONG // 2]}
    longer = {"pairs": 2, "distances": [rng.randint(LONGER - 60, LONGER - 1)], "sequence_len": 1024}
    # As the recipe makes them: its small model, and one of the default configuration.
    recipe = {"pairs": 2, "distances": [rng.randint(240, 255)], "sequence_len": 256}
    default = {"pairs": 3, "distances": [rng.randint(20, 39)], "sequence_len": 1024}
    cases = [
        draw_case(rng, 2 * rng.randint(2, 3), 3, "training", rng.randint(50, 90)),
        draw_case(rng, 2 * rng.randint(4, 6), 2, "cached", rng.randint(50, 90)),
        draw_case(
            rng, 2 * rng.randint(2, 3), 2, "cached, grown", rng.randint(50, 90), last=rng.randint(3, 7)
        ),
        draw_case(rng, 2 * rng.randint(8, 12), 1, "emptied", rng.randint(50, 90), layers=3, layer=2),
        draw_case(rng, 2 * rng.randint(12, 20), 1, "grown", rng.randint(80, 110), layers=2, layer=1),
        draw_case(rng, 8, 2, "autocast, grown", LONG, layers=2, layer=0, **long),
        draw_case(rng, 2 * rng.randint(4, 5), 1, "grown", LONGER, **longer),
        draw_case(rng, 128, 1, "plain", 256, layers=2, layer=rng.randrange(2), **recipe),
        draw_case(rng, 64, 4, "loaded", 40, layers=4, layer=rng.randrange(4), **default),
    ]
    return {"cases": cases, "tables": [draw_table(rng, *shape) for shape in table_shapes(rng)]}


def draw_case(
    rng,
    head_dim,
    heads,
    path,
    length,
    *,
    layers=1,
    layer=0,
    pairs=None,
    distances=None,
    last=1,
    sequence_len=None,
):
    """`last` is how many tokens a model with a cache reads at the end, in one chunk.

    What else the `path` says of a model: it is "training", with gradients on; it was "emptied" before it was
    initialised; it has "loaded" its weights; it has "grown" as it read, or did so under "autocast".
    """
    if path == "cached, grown":
        sequence_len = length - last  # outgrown by the last chunk
    elif sequence_len is None:
        sequence_len = rng.randint(4, 16) if path.endswith("grown") else length + rng.randint(0, 9)
    half = head_dim // 2
    pairs = min(half, pairs or 5, (head_dim * heads - 1) // 3)
    # The first, the last, and one out of every stretch between.
    chosen = {0, half - 1}
    while len(chosen) < pairs:
        chosen.add(rng.randrange(half))
    return {
        "head_dim": head_dim,
        "heads": heads,
        "layers": layers,
        "layer": layer,
        "path": path,
        "sequence_len": sequence_len,
        "length": length,
        "last": last,
        "pairs": [{"channel": channel, "head": rng.randrange(heads)} for channel in sorted(chosen)],
        "distances": distances or [1, 2, *sorted(rng.sample(range(3, length - 1), 3)), length - 1],
    }


def table_shapes(rng):
    yield 128, None, rng.randint(2000, 4000)
    yield 2 * rng.randint(3, 31), None, rng.randint(500, 1500)
    yield rng.choice([32, 64, 96]), rng.choice([1000.0, 50_000.0, 500_000.0]), rng.randint(500, 1500)


def draw_table(rng, head_dim, base, seq_len):
    positions = [0, 1, 2, *sorted(rng.sample(range(3, seq_len - 1), 3)), seq_len - 1]
    return {"head_dim": head_dim, "base": base, "seq_len": seq_len, "positions": positions}


def measure(inputs):
    """`curves`: per case, pair and distance the cosine and the sine of the angle, None where there is no
    reading. `tables`: rows of cosines and sines. `elsewhere`: why it fails on another device. `demo`: the
    angles of all pairs, and scores by distance."""
    import torch

    with torch.no_grad():
        curves = [read_case(case) for case in inputs["cases"]]
        tables = [read_table(table) for table in inputs["tables"]]
        demo = attempt(read_demo)
        elsewhere = run_elsewhere()
    return {"curves": curves, "tables": tables, "elsewhere": elsewhere, "demo": demo}


def run_elsewhere():
    """Why a model cannot be initialised on another device and read more there than it was made for."""
    import torch
    from nanochat.gpt import GPT, GPTConfig

    def prepare(device):
        config = GPTConfig(sequence_len=4, vocab_size=8, n_layer=1, n_head=2, n_kv_head=2, n_embd=8)
        return GPT(config).to(device), torch.zeros(1, 9, dtype=torch.long, device=device)

    def run(prepared):
        model, ids = prepared
        model.init_weights()
        return model(ids)

    return trouble_elsewhere(prepare, run)


def read_case(case):
    model = designed_model(case)
    rows = [
        (query_token(j), key_token(j, turned), distance)
        for j in range(len(case["pairs"]))
        for turned in (False, True)
        for distance in case["distances"]
    ]
    readings = iter(read_scores(model, case, rows))
    curves = []
    for _ in case["pairs"]:
        cosines = [next(readings) for _ in case["distances"]]
        sines = [None if reading is None else -reading for reading in (next(readings) for _ in cosines)]
        curves.append({"cos": cosines, "sin": sines})
    return curves


def query_token(j):
    return 1 + 3 * j


def key_token(j, turned):
    return 2 + 3 * j + turned


def designed_model(case):
    """A model with one token for each feature: the filler 0, then a query and two keys for each pair."""
    import torch

    D, H = case["head_dim"], case["heads"]
    width = D * H
    model = model_of(case)
    zero(model)
    model.transformer.wte.weight.copy_(torch.eye(width))
    model.lm_head.weight.copy_(torch.eye(width) * GAIN / width**0.5)
    attention = model.transformer.h[case["layer"]].attn
    for j, pair in enumerate(case["pairs"]):
        first = pair["head"] * D + pair["channel"]
        attention.c_q.weight[first, query_token(j)] = 1.0
        attention.c_k.weight[first, key_token(j, False)] = 1.0
        attention.c_k.weight[first + D // 2, key_token(j, True)] = 1.0
        for turned in (False, True):
            attention.c_v.weight[pair["head"] * D, key_token(j, turned)] = 1.0
    for head in range(H):
        attention.c_proj.weight[0, head * D] = 1.0
    if case["path"] == "loaded":
        model, weights = model_of(case), model.state_dict()
        model.load_state_dict(weights)
    return model


def model_of(case):
    return make_model(
        sequence_len=case["sequence_len"],
        vocab_size=case["head_dim"] * case["heads"],
        n_layer=case["layers"],
        n_head=case["heads"],
        n_embd=case["head_dim"] * case["heads"],
        emptied=case["path"] == "emptied",
    )


def read_scores(model, case, rows):
    """For every (query, key, distance) the score between them, 1 for the largest possible one."""
    import torch

    T = case["length"]
    ids = torch.zeros(len(rows), T, dtype=torch.long)
    for row, (query, key, distance) in enumerate(rows):
        ids[row, T - 1], ids[row, T - 1 - distance] = query, key
    logits = last_logits(model, case, ids)
    if logits is None:
        return [None] * len(rows)
    scores = []
    for row, (query, _, _) in zip(logits.tolist(), rows, strict=True):
        scores.append(score(row[0], row[query], T, case["head_dim"]))
    return scores


def last_logits(model, case, ids):
    """Logits of the last position; None if there is a cache and it is not where the text is."""
    import torch

    if case["path"] == "training":
        with torch.enable_grad():
            return model.train()(ids)[:, -1].detach()
    if case["path"].startswith("autocast"):
        # What it makes for the longer text there is what it goes by afterwards.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            trouble(model, ids[:1])
    if not case["path"].startswith("cached"):
        return model(ids)[:, -1]
    B, T = ids.shape
    cache = cache_for(model, B, T)
    first = T - case["last"]
    # An engine reads in inference mode where it makes the cache itself, and not where it is given one.
    with torch.inference_mode() if case["path"] == "cached, grown" else nullcontext():
        model(ids[:, :first], kv_cache=cache)
        return model(ids[:, first:], kv_cache=cache)[:, -1] if int(cache.get_pos()) == first else None


def score(to_filler, to_query, length, head_dim):
    """From two softcapped logits: their ratio is the attention weight of the key, whose rivals score 0."""
    try:
        weight = math.atanh(to_filler / 15.0) / math.atanh(to_query / 15.0)
        return math.log(weight * (length - 1) / (1.0 - weight)) / math.sqrt(head_dim)
    except (ValueError, ZeroDivisionError):
        return None


def read_table(table):
    """The rows of cosines and sines at some positions, or the error or shape that came instead of a table."""
    model = make_model(sequence_len=4, vocab_size=8, n_embd=8)
    base = {} if table["base"] is None else {"base": table["base"]}
    try:
        both = model._precompute_rotary_embeddings(table["seq_len"], table["head_dim"], **base)
        shapes = [list(one.shape) if one.is_floating_point() else str(one.dtype) for one in both]
    except Exception as error:
        return {"error": describe_error(error)}
    half = table["head_dim"] // 2
    if shapes != [[1, table["seq_len"], 1, half]] * 2:
        return {"error": f"tables of another kind: {shapes}"}
    cos, sin = (one.float().view(-1, half)[table["positions"]].tolist() for one in both)
    return {"cos": cos, "sin": sin}


def read_demo():
    """A head of width 32: the angle of each pair between neighbours, and the score of equal vectors."""
    D, T = 32, 160
    case = {
        "head_dim": D,
        "heads": 2,
        "layers": 1,
        "layer": 0,
        "path": "plain",
        "sequence_len": T,
        "length": T,
        "last": 1,
        "pairs": [{"channel": channel, "head": 0} for channel in range(D // 2)],
        "distances": [1],
    }
    model = designed_model(case)
    query, key = 1 + 3 * (D // 2), 2 + 3 * (D // 2)
    attention = model.transformer.h[0].attn
    attention.c_q.weight[: D // 2, query] = 1.0
    attention.c_k.weight[: D // 2, key] = 1.0
    attention.c_v.weight[0, key] = 1.0
    rows = [(query_token(j), key_token(j, t), 1) for j in range(D // 2) for t in (False, True)]
    distances = list(range(1, T, 4))
    readings = read_scores(model, {**case, "length": 2}, rows)
    angles = [math.atan2(-readings[2 * j + 1], readings[2 * j]) for j in range(D // 2)]
    scores = read_scores(model, case, [(query, key, distance) for distance in distances])
    return {"head_dim": D, "angles": angles, "distances": distances, "scores": scores}
