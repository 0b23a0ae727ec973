"""Weighs caches of one layer: new, at work, outgrown, copied, reset; and those that an engine makes."""

from itertools import islice

from bughunt.lab.measuring.attempts import trouble
from bughunt.lab.measuring.models import cache_for, make_cache, make_model, randomise
from bughunt.lab.measuring.plans import draw_ids
from bughunt.lab.measuring.storages import bytes_held, weigh
from bughunt.lab.measuring.tokenizers import CharacterTokenizer
from bughunt.lab.measuring.watched_model import WatchedModel

# Growing by about a thousand positions at a time is the design, and doubling is as good.
SPARE = 1100
ROWS = 3


def draw(rng):
    """Ids for an engine's tokenizer, and how long a text is that outgrows its cache at once."""
    return {"ids": draw_ids(rng), "capacity": rng.randint(60, 200), "large": rng.randint(2048, 2200)}


def measure(inputs):
    """Whether what is held fits what is needed: "yes", or how many positions for a need of how many."""
    import torch

    with torch.inference_mode():
        return {
            "one chunk": one_chunk(inputs["capacity"]),
            "small": conversation(4, [4, 1, 2]),
            "outgrown at once": conversation(inputs["capacity"], [inputs["capacity"] - 1, 1200, 1]),
            "large": conversation(inputs["large"], [inputs["large"], 1]),
            "of an engine": engines(inputs["ids"]),
        }


def fits(cache, need, bytes_a_position, most):
    """`need` and `most` in positions."""
    held = bytes_held(cache) / bytes_a_position
    return "yes" if need <= held <= most else f"{held:.0f} positions for {need}"


def first_fits(cache, need, bytes_a_position):
    """A cache that was not outgrown has the room that it was made for, rounded up a little perhaps."""
    return fits(cache, need, bytes_a_position, 1.25 * need + SPARE)


def outgrown_fits(cache, need, bytes_a_position):
    return fits(cache, need, bytes_a_position, 2 * need + 2 * SPARE)


def one_chunk(capacity):
    """Ten thousand positions at once: with room for them, and without."""
    import torch

    keys = torch.zeros(1, 1, 10_000, 2)
    roomy, outgrown = make_cache(1, 10_000), make_cache(1, capacity)
    new = bytes_held(roomy)
    roomy.insert_kv(0, keys[:, :, :5], keys[:, :, :5])
    outgrown.insert_kv(0, keys, keys)
    return {
        "a new one holds next to nothing": new < 64,
        "roomy": first_fits(roomy, 10_000, 16),
        "outgrown": outgrown_fits(outgrown, 10_000, 16),
    }


def conversation(capacity, lengths):
    """Chunks of those lengths and then token by token, in a cache of so many positions."""
    import torch

    model = make_model(sequence_len=4096, vocab_size=12, n_embd=2)
    ids = torch.zeros(ROWS, 4096, dtype=torch.long)
    cache = cache_for(model, 1, capacity)
    read, steps = 0, []
    for length in [*lengths, *[1] * 8]:
        storage = weigh(cache)["mark"]
        model(ids[:1, :length], kv_cache=cache)
        read += length
        weighed = first_fits(cache, capacity, 16) if read <= capacity else outgrown_fits(cache, read, 16)
        steps.append((weighed, weigh(cache)["mark"] != storage))
    copy = cache_for(model, ROWS, capacity)
    copy.prefill(cache)
    copied = first_fits(copy, max(capacity, read), 16 * ROWS)
    cache.reset()
    after = {"bytes are few": bytes_held(cache) < 64, "position": int(cache.get_pos())}
    model(ids[:1, :3], kv_cache=cache)
    after["anew"] = first_fits(cache, capacity, 16)
    cache.reset()
    prompt = cache_for(model, 1, 3)
    model(ids[:1, :3], kv_cache=prompt)
    after["a copy can be made"] = trouble(cache.prefill, prompt) is None
    after["a copy"] = first_fits(cache, capacity, 16)
    return {
        "fits": [fitting for fitting, _ in steps],
        "taken anew more than three times": sum(moved for _, moved in steps) > 3,
        "copy": copied,
        "after a reset": after | {"position of a copy": int(cache.get_pos())},
    }


def engines(ids):
    """The caches of an engine whose model has two heads, one for keys: as they are after four columns."""
    tokenizer = CharacterTokenizer(ids)
    model = make_model(sequence_len=20, vocab_size=200, n_head=2, n_kv_head=1, n_embd=8)
    randomise(model, 1)
    prompt = tokenizer.encode("four")
    found = {}
    for samples in (1, ROWS):
        for most in (12, 3000, None):
            watched = WatchedModel(model)
            columns = engine_of(watched, tokenizer).generate(prompt, num_samples=samples, max_tokens=most)
            for _ in islice(columns, 4):
                pass
            caches = watched.caches()
            need = 4 + (most or 20)
            found[f"{samples} rows, {most or 'any'} tokens"] = {
                "fits": first_fits(caches, need, 32 * samples),
                "more than one": len(caches) > 1,
            }
    return found


def engine_of(model, tokenizer):
    from nanochat.engine import Engine

    return Engine(model, tokenizer)
