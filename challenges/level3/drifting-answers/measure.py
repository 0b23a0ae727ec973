"""Reads the same texts with the cache, in chunks and token by token, and without it."""

from operator import itemgetter

from bughunt.lab.measuring.attempts import describe_error, trouble
from bughunt.lab.measuring.devices import trouble_elsewhere
from bughunt.lab.measuring.graphs import held_after_each
from bughunt.lab.measuring.led_engine import columns_led
from bughunt.lab.measuring.models import cache_for, make_model, randomise
from bughunt.lab.measuring.work import rows_computed

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
                (rng.randint(2, 3), 2, "chunks", {"training": True}),
                # Of the length that a default model is made for, and some more.
                (2, 1, "outgrown", {"start": rng.randint(980, 1010), "length": 1024}),
                (2, 1, "chunks", {"start": rng.randint(500, 600), "length": 1024, "uniform": True}),
                # The recipe's model, in the hands of the engine.
                (2, rng.randint(2, 3), "engine", {"start": rng.randint(240, 254), "length": 256}),
            )
        ]
    }


def draw_case(
    rng,
    layers,
    batch_size,
    plan,
    *,
    before=(),
    beside=(),
    bfloat16=False,
    training=False,
    uniform=False,
    start=None,
    length=64,
):
    """`chunks` are lengths; with clones, all after the first are read by copies of the cache that read it.

    That cache has one row, or as many as its copy, and goes on with another text. An outgrown cache is made
    for the first chunk alone. Chunks of the lengths `before` are read and forgotten again. The model reads
    something else in another cache after every chunk, as long as one of `beside` in turn. If `bfloat16`,
    it reads all of it again in that dtype. In `training` gradients are on. A `uniform` model attends to all
    that was read alike, wherever it stands. The first chunk has the length `start`, if it is given, and the
    model was made for `length` positions. An engine reads the first chunk once, and then token by token.
    """
    tokens = [1] * rng.randint(4, 6)
    if plan in ("chunks", "outgrown"):
        chunks = [rng.randint(1, 5) for _ in range(3)] + [1, rng.randint(2, 5)] + tokens[:2]
    elif plan == "tokens":
        chunks = tokens * 2
    elif plan == "engine":
        chunks = [start, *tokens, *tokens]
    else:
        chunks = [rng.randint(5, 9), *tokens, rng.randint(2, 4), 1]
    if start and plan != "engine":
        chunks = [start, 1, rng.randint(40, 60), 1, rng.randint(2, 4)]
    total = sum(chunks)
    rows = [[rng.randrange(VOCABULARY) for _ in range(total)] for _ in range(batch_size)]
    prompts = batch_size if plan.endswith("of as many rows") else 1
    if (plan.startswith("clones") or plan == "engine") and prompts == 1:
        # An engine draws the first token of every row from the same logits.
        shared = chunks[0] + (plan == "engine")
        rows = [rows[0][:shared] + row[shared:] for row in rows]
    ends = [sum(chunks[: number + 1]) for number in range(len(chunks))]
    return {
        "layers": layers,
        "heads": 1 if plan == "engine" else rng.choice([1, 2, 3]),
        "head_dim": 128 if plan == "engine" else rng.choice([4, 6, 8]),
        "sequence_len": length,
        # Of which positions the logits are kept.
        "seen": sorted({0, *(end - 1 for end in ends), *ends[:-1]}) if start else list(range(total)),
        "plan": plan,
        "prompts": prompts,
        "before": list(before),
        "beside": list(beside),
        "bfloat16": bfloat16,
        "training": training,
        "uniform": uniform,
        "chunks": chunks,
        "rows": rows,
        "capacity": chunks[0] if plan == "outgrown" else total + rng.choice([0, 0, rng.randint(1, 20)]),
        "seed": rng.randrange(2**31),
    }


def measure(inputs):
    """For every case the logits with and without the cache, those after `another` first token, the position
    after each chunk, how many rows were computed more than there are tokens, how much is `held` for gradients
    after each chunk, and why it does not run in bfloat16, or on another device."""
    import torch

    with torch.no_grad():
        return [read(case) for case in inputs["cases"]]


def reference(inputs):
    """For every case the logits without the cache, and those after another first token."""
    import torch

    with torch.no_grad():
        return [without_cache(case, *model_and_text(case)) for case in inputs["cases"]]


def model_and_text(case):
    import torch

    ids = torch.tensor(case["rows"])
    model = make_model(
        sequence_len=case["sequence_len"],
        vocab_size=VOCABULARY,
        n_layer=case["layers"],
        n_head=case["heads"],
        n_embd=case["heads"] * case["head_dim"],
    )
    randomise(model, case["seed"])
    if case["uniform"]:
        for block in model.transformer.h:
            block.attn.c_q.weight.zero_()
    return model, ids


def without_cache(case, model, ids):
    other = ids.clone()
    other[:, 0] = (other[:, 0] + 1) % VOCABULARY
    return {
        "uncached": model(ids)[:, case["seen"]].tolist(),
        "another": model(other)[:, case["seen"]].tolist(),
    }


def read(case):
    import torch

    model, ids = model_and_text(case)
    model.train(case["training"])
    measured = {**without_cache(case, model, ids), "positions": []}
    pieces = []
    with torch.set_grad_enabled(case["training"]), rows_computed(model) as computed:
        try:
            for piece, position in read_in_chunks(model, case, ids):
                pieces.append(piece.detach())
                measured["positions"].append(position)
        except Exception as error:
            measured["error"] = describe_error(error)
    logits = torch.cat(pieces, dim=1) if pieces else torch.zeros(len(ids), 0, VOCABULARY)
    measured["cached"] = logits[:, [t for t in case["seen"] if t < logits.size(1)]].tolist()
    # Not where other texts are read as well.
    alone = case["plan"] in ("chunks", "tokens", "outgrown") and not (case["before"] or case["beside"])
    measured["rows too many"] = max(0, computed() - ids.numel()) if alone else 0
    measured["held"] = held(model, case, ids) if case["training"] else None
    measured["bfloat16 error"] = bfloat16_error(model, case, ids) if case["bfloat16"] else None
    measured["elsewhere"] = run_elsewhere(case) if case["training"] else None
    return measured


def held(model, case, ids):
    """How many numbers are kept for gradients once a chunk's logits are gone; None if it cannot be read."""
    import torch

    try:
        with torch.enable_grad():
            return held_after_each(model, map(itemgetter(0), read_in_chunks(model, case, ids)))
    except Exception:
        return None


def run_elsewhere(case):
    """Why a model cannot read with a cache on another device, where it reads without one."""

    def prepare(device):
        model, ids = model_and_text(case)
        return model.to(device), ids.to(device)

    def with_cache(prepared):
        return [logits for logits, _ in read_in_chunks(prepared[0], case, prepared[1])][-1]

    if trouble_elsewhere(prepare, lambda prepared: prepared[0](prepared[1])):
        return None
    return trouble_elsewhere(prepare, with_cache)


def bfloat16_error(model, case, ids):
    """The error of the model in bfloat16 with a cache, if it runs without one."""
    if trouble(lambda: model.bfloat16()(ids)):
        return None
    return trouble(lambda: list(read_in_chunks(model, case, ids)))


def read_in_chunks(model, case, ids):
    """Yields the logits (B, t, V) of each chunk, and the position after it."""
    if case["plan"] == "engine":
        yield from columns_led(model, ids, case["chunks"][0])
        return
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
        # Nothing here keeps them any longer than who asks for them.
        answer = [logits]
        del logits
        yield answer.pop(), int(cache.get_pos())
