"""Models of one to three layers read with a cache what they also read without one."""

from bughunt.lab.measuring.models import cache_for, make_model, randomise

VOCABULARY = 12
CAPACITY = 24


def draw(rng):
    """Two rows of tokens and the chunks they come in, for models of several depths and kinds of heads."""
    cases = []
    for layers, heads, kv_heads, width in ((1, 2, 2, 2), (2, 1, 1, 8), (3, 3, 1, 4)):
        chunks = [rng.randint(2, 4), 1, rng.randint(2, 3), 1]
        rows = [[rng.randrange(VOCABULARY) for _ in range(sum(chunks))] for _ in range(2)]
        shape = {"n_layer": layers, "n_head": heads, "n_kv_head": kv_heads, "n_embd": heads * width}
        cases.append({"shape": shape, "rows": rows, "chunks": chunks, "seed": rng.randrange(2**31)})
    return {"cases": cases}


def measure(inputs):
    """For each way to use a cache, how far its logits are from those without one, and its positions."""
    import torch

    found = {}
    with torch.no_grad():
        for case in inputs["cases"]:
            shape = case["shape"]
            name = f"{shape['n_layer']} layers, {shape['n_head']} heads, {shape['n_kv_head']} for keys"
            found[name] = read(case)
    return found


def read(case):
    import torch

    model = make_model(sequence_len=64, vocab_size=VOCABULARY, **case["shape"])
    randomise(model, case["seed"])
    ids = torch.tensor(case["rows"])
    # Rows that begin alike, for copies of a cache of one row.
    alike = torch.cat((ids[:1, : case["chunks"][0]].expand(2, -1), ids[:, case["chunks"][0] :]), dim=1)
    room, outgrown = cache_for(model, 2, CAPACITY), cache_for(model, 2, 3)
    return {
        "in chunks": in_chunks(model, room, ids, case["chunks"]),
        "outgrown": in_chunks(model, outgrown, ids, case["chunks"]),
        "again after a reset": again(model, room, ids.flip(0), case["chunks"]),
        "copies of one row": copies(model, alike, case["chunks"], prompts=1, capacity=CAPACITY),
        "copies of all rows": copies(model, ids, case["chunks"], prompts=2, capacity=CAPACITY),
        "copies in too small a cache": copies(model, alike, case["chunks"], prompts=1, capacity=1),
        "copy of an empty cache": copy_of_nothing(model, ids, case["chunks"]),
    }


def in_chunks(model, cache, ids, chunks):
    import torch

    positions, logits = [int(cache.get_pos())], []
    for chunk in ids.split(chunks, dim=1):
        logits.append(model(chunk, kv_cache=cache))
        positions.append(int(cache.get_pos()))
    return compared(model, ids, torch.cat(logits, dim=1), positions)


def again(model, cache, ids, chunks):
    cache.reset()
    return in_chunks(model, cache, ids, chunks)


def copies(model, ids, chunks, *, prompts, capacity):
    """The first chunk is read once; its cache and a second copy go on with another text meanwhile."""
    import torch

    first, *others = ids.split(chunks, dim=1)
    prompt = cache_for(model, prompts, first.size(1))
    logits = [model(first[:prompts], kv_cache=prompt).expand(2, -1, -1)]
    copy, another = cache_for(model, 2, capacity), cache_for(model, 2, capacity)
    copy.prefill(prompt)
    another.prefill(prompt)
    positions = [int(copy.get_pos()), int(prompt.get_pos())]
    for chunk in others:
        model((chunk[:prompts] + 1) % VOCABULARY, kv_cache=prompt)
        model((chunk + 2) % VOCABULARY, kv_cache=another)
        logits.append(model(chunk, kv_cache=copy))
    positions += [int(copy.get_pos()), int(prompt.get_pos())]
    return compared(model, ids, torch.cat(logits, dim=1), positions)


def copy_of_nothing(model, ids, chunks):
    cache = cache_for(model, 2, CAPACITY)
    cache.prefill(cache_for(model, 1, CAPACITY))
    return in_chunks(model, cache, ids, chunks)


def compared(model, ids, logits, positions):
    """How far the logits (B, T, V) are from those that the model gives when it reads all at once."""
    gap = (logits - model(ids)).abs().max().item()
    return {"away from reading without a cache": gap, "positions": positions}
