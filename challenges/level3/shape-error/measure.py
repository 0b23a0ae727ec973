"""Runs models whose query heads share key/value heads, beside a model that says the same with no sharing.

The other model has as many key/value heads as query heads, and the shared weights repeated for each: it must
give the same logits. A third reading finds out which key/value head each query head listens to.
"""

import math
from contextlib import contextmanager

from bughunt.lab.measuring.attempts import attempt, trouble
from bughunt.lab.measuring.devices import trouble_elsewhere
from bughunt.lab.measuring.gaps import largest_gap
from bughunt.lab.measuring.models import cache_for, make_model, randomise, zero
from bughunt.lab.measuring.storages import bytes_held

VOCABULARY = 12


def draw(rng):
    """Head counts from one key/value head to as many as there are query heads; texts, in chunks."""
    pairs = [(2, 1), (4, 2), (3, 3), (rng.choice([6, 9]), 3), (8, rng.choice([2, 4])), (6, 2)]
    pairs += [(rng.choice([4, 6]), 1), (rng.choice([2, 4]),) * 2]
    # Every other model was made for fewer positions than it reads.
    cases = [
        draw_case(rng, *pair, sequence_len=(64, 4)[n % 2], copied=n % 3 == 1) for n, pair in enumerate(pairs)
    ]
    cases.append(draw_case(rng, 4, 2, sequence_len=64, copied=False, uniform=True))
    # The heads and the length of a default model.
    cases.append(draw_case(rng, 4, 2, sequence_len=1024, copied=True, head_dim=64, layers=2))
    return cases


def draw_case(rng, heads, kv_heads, sequence_len, copied, *, head_dim=None, layers=None, uniform=False):
    """With a cache that is `copied`, the first chunk is read once, and every row goes on with a copy.

    A `uniform` model attends to all that was read alike, wherever it stands.
    """
    batch_size = rng.randint(2, 3)
    chunks = [rng.randint(2, 4), 1, rng.randint(2, 3), 1]
    return {
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim or rng.choice([4, 6, 8]),
        "layers": layers or rng.randint(1, 3),
        "sequence_len": sequence_len,
        "rows": [rng.sample(range(VOCABULARY), sum(chunks)) for _ in range(batch_size)],
        "chunks": chunks,
        "copied": copied,
        "uniform": uniform,
        "seed": rng.randrange(2**31),
    }


def measure(inputs):
    """For every case, or the errors: `whole` and `cached`, the logits of the model and of its counterpart,
    which reads without a cache both times; `memory`, the bytes that a cache of either holds, if it is copied;
    `bfloat16`, the logits of both in that dtype, if it is not; `listening`, by how much each query head's
    output changes with each key/value head; `focus`, how much of its attention each query head pays to the
    one token it looks for; `gradients`, how far those of the two models' key and value weights lie apart, for
    gradients of a size of 1; `elsewhere`, why one of them does not run on another device."""
    import torch

    with torch.no_grad():
        measured = [
            {
                "whole": attempt(read_whole, case),
                "cached": attempt(read_cached, case),
                "memory": attempt(weigh_caches, case) if case["copied"] else None,
                "bfloat16": None if case["copied"] else attempt(read_in_bfloat16, case),
                "listening": attempt(read_listening, case),
                "focus": attempt(read_focus, case),
                "gradients": attempt(read_gradients, case),
                "elsewhere": None,
            }
            for case in inputs
        ]
        # Once is enough, for shared heads, and where the model runs on the CPU at least.
        if isinstance(measured[1]["whole"].get("shared"), list):
            measured[1]["elsewhere"] = attempt(run_elsewhere, inputs[1])
    return measured


def reference(inputs):
    """For every case the logits of the counterpart, which shares nothing: `whole`, as with a cache, and in
    bfloat16."""
    import torch

    with torch.no_grad():
        return [
            {
                "whole": separate_logits(case, case["layers"]),
                "cached": separate_logits(case, 1, case["copied"]),
                "bfloat16": None if case["copied"] else read_in_bfloat16(case)["separate"],
            }
            for case in inputs
        ]


def separate_logits(case, layers, copied=False):
    return make_both(case, layers)[1](texts(case, copied)).tolist()


def texts(case, copied):
    """The ids (B, T), the first chunk of which is the same in every row if the cache is copied."""
    import torch

    ids = torch.tensor(case["rows"])
    if copied:
        ids[:, : case["chunks"][0]] = ids[0, : case["chunks"][0]]
    return ids


def model_of(case, kv_heads, layers=1, vocabulary=VOCABULARY):
    return make_model(
        sequence_len=case["sequence_len"],
        vocab_size=vocabulary,
        n_layer=layers,
        n_head=case["heads"],
        n_kv_head=kv_heads,
        n_embd=case["heads"] * case["head_dim"],
    )


def make_both(case, layers):
    """The model of the case, and its counterpart without sharing."""
    shared = model_of(case, case["kv_heads"], layers)
    randomise(shared, case["seed"])
    if case["uniform"]:
        for block in shared.transformer.h:
            block.attn.c_q.weight.zero_()
    separate = model_of(case, case["heads"], layers)
    weights = dict(shared.state_dict())
    for name, weight in weights.items():
        if name.endswith((".c_k.weight", ".c_v.weight")):
            weights[name] = repeated(weight, case)
    separate.load_state_dict(weights)
    return shared, separate


def repeated(weight, case):
    """The rows of each key/value head, once for every query head of its group."""
    by_head = weight.view(case["kv_heads"], case["head_dim"], -1)
    return by_head.repeat_interleave(case["heads"] // case["kv_heads"], dim=0).flatten(0, 1)


def read_whole(case):
    import torch

    ids = torch.tensor(case["rows"])
    shared, separate = make_both(case, case["layers"])
    return {"separate": separate(ids).tolist(), "shared": attempt_logits(lambda: shared(ids))}


def read_cached(case):
    """The model with a cache in chunks, its counterpart without one, and one layer."""
    import torch

    shared, separate = make_both(case, 1)
    # As an engine reads that makes the caches itself, or is given one.
    with torch.inference_mode(case["copied"]):
        return {
            "separate": separate(texts(case, case["copied"])).tolist(),
            "shared": attempt_logits(lambda: read_in_chunks(shared, case)[0]),
        }


def read_in_chunks(model, case):
    """The logits (B, T, V), and the last cache."""
    import torch

    ids = torch.tensor(case["rows"])
    first, *others = ids.split(case["chunks"], dim=1)
    if case["copied"]:
        first = first[:1]

    cache = cache_for(model, first.size(0), ids.size(1))
    logits = [model(first, kv_cache=cache).expand(ids.size(0), -1, -1)]
    if case["copied"]:
        prompt, cache = cache, cache_for(model, ids.size(0), ids.size(1))
        cache.prefill(prompt)
    return torch.cat(logits + [model(chunk, kv_cache=cache) for chunk in others], dim=1), cache


def weigh_caches(case):
    """The bytes that a cache of the model holds, and one of its counterpart; None where it does not run."""
    found = []
    for model in make_both(case, 1):
        held = attempt(lambda model=model: bytes_held(read_in_chunks(model, case)[1]))
        found.append(None if isinstance(held, dict) else held)
    return found


def read_in_bfloat16(case):
    """Without rotation, which may have a dtype of its own; None where it cannot be told from the rest."""
    # Of texts longer than it was made for a model makes tables in float32.
    shared, separate = (model.bfloat16() for model in make_both({**case, "sequence_len": 64}, 1))
    ids = texts(case, False)
    with without_rotation() as is_without:
        found = {
            "separate": attempt_logits(lambda: separate(ids).float()),
            "shared": attempt_logits(lambda: shared(ids).float()),
            "cached": trouble(lambda: read_in_chunks(shared, case)),
        }
    return found if is_without or isinstance(found["separate"], list) else None


@contextmanager
def without_rotation():
    """Lets models turn nothing, if there is a function of theirs that does."""
    from nanochat import gpt

    turn = getattr(gpt, "apply_rotary_emb", None)
    if turn is not None:
        gpt.apply_rotary_emb = lambda x, *_: x
    try:
        yield turn is not None
    finally:
        if turn is not None:
            gpt.apply_rotary_emb = turn


def run_elsewhere(case):
    """Why the model cannot read a text on another device, with a cache, in chunks."""
    import torch

    def prepare(device):
        return model_of(case, case["kv_heads"]).to(device), torch.tensor(case["rows"], device=device)

    def run(prepared):
        model, ids = prepared
        cache = cache_for(model, *ids.shape)
        return [model(chunk, kv_cache=cache) for chunk in ids.split(case["chunks"], dim=1)][-1]

    return trouble_elsewhere(prepare, run)


def attempt_logits(read):
    return attempt(lambda: read().tolist())


def read_listening(case):
    """By how much each query head's output changes when one key/value head gets other keys, or other values.

    Channel h of the last residual stream holds one number from query head h, and nothing else; the embedding
    lies in the other channels, and in the last of them it is the same for all tokens.
    """
    import torch

    H, D, T = case["heads"], case["head_dim"], len(case["rows"][0])
    width, vocabulary = H * D, H * D + VOCABULARY
    model = model_of(case, case["kv_heads"], vocabulary=vocabulary)
    random = model_of(case, case["kv_heads"], vocabulary=vocabulary)
    randomise(random, case["seed"])
    zero(model)
    attention, source = model.transformer.h[0].attn, random.transformer.h[0].attn
    for name in ("c_q", "c_k", "c_v"):
        getattr(attention, name).weight.copy_(getattr(source, name).weight)
    embedding = model.transformer.wte.weight
    embedding[:, H:].copy_(random.transformer.wte.weight[:, H:])
    embedding[:, -1] = 1.0
    for head in range(H):
        attention.c_proj.weight[head, head * D : (head + 1) * D] = 1.0
    model.lm_head.weight.copy_(torch.eye(vocabulary, width))
    ids = torch.tensor(case["rows"])

    def outputs():
        stream = [[atanh(logit / 15.0) for logit in row[:width]] for row in model(ids).flatten(0, 1).tolist()]
        return [[row[head] / row[-1] for row in stream] for head in range(H)]

    def change(weight, kv_head, before):
        rows = weight[kv_head * D : (kv_head + 1) * D]
        kept = rows.clone()
        changes = [0.0] * H
        # Two others, as the first may happen to matter little.
        for other in (-kept.roll(1, dims=0), 2.0 * kept.roll(1, dims=1)):
            rows.copy_(other)
            pairs = zip(before, outputs(), strict=True)
            changes = [max(change, largest_gap(*pair)) for change, pair in zip(changes, pairs, strict=True)]
        rows.copy_(kept)
        return changes

    def doubled(weight, before, factor):
        weight.mul_(2.0)
        after = outputs()
        weight.div_(2.0)
        return largest_gap(after, [[factor * x for x in row] for row in before])

    before = outputs()
    ids[:, -1] = (ids[:, -1] + 1) % VOCABULARY
    earlier = [T * row + t for row in range(ids.size(0)) for t in range(T - 1)]
    future = largest_gap(*([[row[n] for n in earlier] for row in one] for one in (before, outputs())))
    before = outputs()
    changes = {
        name: [change(weight, kv_head, before) for kv_head in range(case["kv_heads"])]
        for name, weight in (("keys", attention.c_k.weight), ("values", attention.c_v.weight))
    }
    return {
        **changes,
        "future": future,
        "keys doubled": doubled(attention.c_k.weight, before, 1.0),
        "values doubled": doubled(attention.c_v.weight, before, 2.0),
    }


def read_focus(case):
    """The share of attention that the last token gets from itself, for every query head.

    It looks for a key of its own kind, in one channel; all the tokens before it have keys of zero.
    """
    import torch

    H, D, length = case["heads"], case["head_dim"], len(case["rows"][0])
    width = H * D
    model = model_of(case, case["kv_heads"], vocabulary=width)
    zero(model)
    model.transformer.wte.weight.copy_(torch.eye(width))
    model.lm_head.weight.copy_(torch.eye(width))
    attention, seeker, channel = model.transformer.h[0].attn, width - 1, case["seed"] % D
    attention.c_q.weight[channel::D, seeker] = 1.0
    attention.c_k.weight[channel::D, seeker] = 1.0
    attention.c_v.weight[::D, seeker] = 1.0
    for head in range(H):
        attention.c_proj.weight[head, head * D] = 1.0
    ids = torch.full((1, length), width - 2)
    ids[0, -1] = seeker
    stream = [atanh(logit / 15.0) for logit in model(ids)[0, -1].tolist()]
    return [stream[head] / stream[seeker] for head in range(H)]


def read_gradients(case):
    """A weight that is shared learns from all the heads that use it: the sum of what theirs would learn."""
    import torch

    ids = torch.tensor(case["rows"])
    gaps = []
    with torch.enable_grad():
        both = make_both({**case, "uniform": False}, 1)
        for model in both:
            model.train()
            model(ids, targets=ids.roll(1, dims=1).long()).backward()
    for name in ("c_k", "c_v"):
        shared, separate = (getattr(model.transformer.h[0].attn, name).weight for model in both)
        if shared.grad is None:
            return None
        by_group = separate.grad.view(case["kv_heads"], -1, case["head_dim"], separate.size(1))
        right = by_group.sum(dim=1).flatten(0, 1)
        gaps.append(((shared.grad - right).abs().max() / right.abs().max()).item())
    return max(gaps)


def atanh(x):
    return math.atanh(x) if abs(x) < 1.0 else math.copysign(math.inf, x)
