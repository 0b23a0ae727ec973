"""Reads the same texts with the cache, in chunks and token by token, and without it."""

from bughunt.lab.measuring.attempts import describe_error, trouble
from bughunt.lab.measuring.models import cache_for, make_model, randomise

VOCABULARY = 12


def draw(rng):
    """Models of several depths, texts, and how the texts are cut into chunks."""
    return {
        "cases": [
            draw_case(rng, layers, batch_size, plan, **more)
            for layers, batch_size, plan, more in (
                (1, 2, "chunks", {}),
                (2, 1, "prompt", {}),
                (2, 3, "clones, tight", {"bfloat16": True}),
                (rng.randint(2, 3), rng.randint(1, 2), "clones, of as many rows", {}),
                (rng.randint(2, 3), 2, "outgrown", {"bfloat16": True}),
                (3, 2, "chunks", {}),
                (3, 1, "tokens", {}),
                (rng.randint(4, 6), 2, "chunks", {}),
                (rng.randint(4, 6), 4, "clones, roomy", {}),
                (rng.randint(2, 3), 2, "chunks", {"before": [rng.randint(2, 5), 1]}),
                (rng.randint(2, 3), 2, "chunks", {"beside": rng.sample([1, 2, 3], 3)}),
            )
        ]
    }


def draw_case(rng, layers, batch_size, plan, before=(), beside=(), bfloat16=False):
    """`chunks` are lengths; with clones, all after the first are read by copies of the cache that read it.

    That cache has one row, or as many as its copy, and goes on with another text. An outgrown cache is made
    for the first chunk alone. Chunks of the lengths `before` are read and forgotten again. The model reads
    something else in another cache after every chunk, as long as one of `beside` in turn. If `bfloat16`,
    it reads all of it again in that dtype.
    """
    tokens = [1] * rng.randint(4, 6)
    if plan in ("chunks", "outgrown"):
        chunks = [rng.randint(1, 5) for _ in range(3)] + [1, rng.randint(2, 5)] + tokens[:2]
    elif plan == "tokens":
        chunks = tokens * 2
    else:
        chunks = [rng.randint(5, 9), *tokens, rng.randint(2, 4), 1]
    total = sum(chunks)
    rows = [[rng.randrange(VOCABULARY) for _ in range(total)] for _ in range(batch_size)]
    prompts = batch_size if plan.endswith("of as many rows") else 1
    if plan.startswith("clones") and prompts == 1:
        rows = [rows[0][: chunks[0]] + row[chunks[0] :] for row in rows]
    heads = rng.choice([1, 2, 3])
    return {
        "layers": layers,
        "heads": heads,
        "head_dim": rng.choice([4, 6, 8]),
        "plan": plan,
        "prompts": prompts,
        "before": list(before),
        "beside": list(beside),
        "bfloat16": bfloat16,
        "chunks": chunks,
        "rows": rows,
        "capacity": chunks[0] if plan == "outgrown" else total + rng.choice([0, 0, rng.randint(1, 20)]),
        "seed": rng.randrange(2**31),
    }


def measure(inputs):
    """For every case the logits with and without the cache, those after `another` first token, the position
    after each chunk, and why it does not run in bfloat16."""
    import torch

    with torch.no_grad():
        return [read(case) for case in inputs["cases"]]


def reference(inputs):
    """For every case the logits without the cache, and those after another first token."""
    import torch

    with torch.no_grad():
        return [without_cache(*model_and_text(case)) for case in inputs["cases"]]


def model_and_text(case):
    import torch

    ids = torch.tensor(case["rows"])
    model = make_model(
        sequence_len=max(ids.size(1), 64),
        vocab_size=VOCABULARY,
        n_layer=case["layers"],
        n_head=case["heads"],
        n_embd=case["heads"] * case["head_dim"],
    )
    randomise(model, case["seed"])
    return model, ids


def without_cache(model, ids):
    other = ids.clone()
    other[:, 0] = (other[:, 0] + 1) % VOCABULARY
    return {"uncached": model(ids).tolist(), "another": model(other).tolist()}


def read(case):
    import torch

    model, ids = model_and_text(case)
    measured = {**without_cache(model, ids), "positions": []}
    pieces = []
    try:
        for piece, position in read_in_chunks(model, case, ids):
            pieces.append(piece)
            measured["positions"].append(position)
    except Exception as error:
        measured["error"] = describe_error(error)
    measured["cached"] = torch.cat(pieces, dim=1).tolist() if pieces else [[] for _ in ids]
    measured["bfloat16 error"] = bfloat16_error(model, case, ids) if case["bfloat16"] else None
    return measured


def bfloat16_error(model, case, ids):
    """The error of the model in bfloat16 with a cache, if it runs without one."""
    if trouble(lambda: model.bfloat16()(ids)):
        return None
    return trouble(lambda: list(read_in_chunks(model, case, ids)))


def read_in_chunks(model, case, ids):
    """Yields the logits (B, t, V) of each chunk, and the position after it."""
    B, prompts = ids.size(0), case["prompts"]
    clones = case["plan"].startswith("clones")
    tight = case["plan"] == "clones, tight"
    prompt = None
    cache = cache_for(model, prompts if clones else B, case["chunks"][0] if tight else case["capacity"])
    if case["before"]:
        for chunk in ids.flip(1)[:, : sum(case["before"])].split(case["before"], dim=1):
            model(chunk, kv_cache=cache)
        cache.reset()
    neighbour = cache_for(model, 1, 3 * len(case["chunks"]))
    for number, chunk in enumerate(ids.split(case["chunks"], dim=1)):
        if clones and number == 0:
            logits = model(chunk[:prompts], kv_cache=cache).expand(B, -1, -1)
            prompt, cache = cache, cache_for(model, B, case["capacity"])
            cache.prefill(prompt)
            another = cache_for(model, B, case["capacity"])
            another.prefill(prompt)
        else:
            logits = model(chunk, kv_cache=cache)
        if prompt is not None and number > 0:
            # What the original and another copy go on to read is nothing to this one.
            model((chunk[:prompts] + 1) % VOCABULARY, kv_cache=prompt)
            model((chunk + 2) % VOCABULARY, kv_cache=another)
        if case["beside"]:
            model(ids[:1, : case["beside"][number % len(case["beside"])]], kv_cache=neighbour)
        yield logits, int(cache.get_pos())
