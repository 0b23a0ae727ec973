"""Puts keys and values into caches of one layer, looks at what comes back, and tries what is refused."""

from bughunt.lab.measuring.attempts import trouble
from bughunt.lab.measuring.graphs import keeps_graph
from bughunt.lab.measuring.models import cache_for, make_cache, make_model, randomise

SHAPE = {"rows": 2, "heads": 2, "head_dim": 4, "layers": 1}
OTHER_SHAPES = {
    "more layers": {"layers": 2},
    "more heads": {"heads": 4},
    "wider heads": {"head_dim": 8},
    "narrower heads": {"head_dim": 1},
    "fewer rows": {"rows": 1},
    "more rows": {"rows": 3},
    "twice the rows": {"rows": 4},
}


def draw(rng):
    """How many keys there are, those beyond the capacity among them, and a seed for them."""
    length = rng.randint(3, 6)
    return {
        "lengths": {
            "some room left": [length, length + 5],
            "full": [length, length],
            "too small": [length, 2],
        },
        "seed": rng.randrange(2**31),
        "tokens": [rng.randrange(12) for _ in range(6)],
    }


def measure(inputs):
    """What the caches give back, whether they keep a graph, and what they refuse."""
    import torch

    torch.manual_seed(inputs["seed"])
    given = {
        f"{name}, {dtype}": put_in(length, capacity, getattr(torch, dtype))
        for name, (length, capacity) in inputs["lengths"].items()
        for dtype in ("float32", "bfloat16", "float64")
    }
    return {
        "given back": given,
        "keys that are finer than values": finer_keys(),
        "refused": refusals(),
        "gradients": with_gradients(inputs),
    }


def finer_keys():
    """Whether they come back as they were, from a model that computes some parts in half the bytes."""
    import torch

    keys, values = torch.randn(2, 2, 3, 4), torch.randn(2, 2, 3, 4).bfloat16()
    back = make_cache(2, 5, heads=2, head_dim=4).insert_kv(0, keys, values)
    return [torch.equal(one, other) for one, other in zip(back, (keys, values), strict=True)]


def put_in(length, capacity, dtype):
    """Keys and values that need gradients, changed once they are in."""
    import torch

    keys, values = (torch.randn(2, 2, length, 4).to(dtype).requires_grad_() for _ in range(2))
    right = keys.detach().clone(), values.detach().clone()
    cache = make_cache(2, capacity, heads=2, head_dim=4)
    back = cache.insert_kv(0, keys, values)
    with torch.no_grad():
        keys.zero_(), values.zero_()
    return {
        "shapes": [list(one.shape) for one in back],
        "dtypes": [str(one.dtype) for one in back],
        "as given": [torch.equal(one, other) for one, other in zip(back, right, strict=True)],
        "keeps a graph": keeps_graph(cache),
    }


def refusals():
    """Whether a cache with something in it, or of another shape, can be taken over."""
    import torch

    def empty(**other):
        return make_cache(capacity=4, **{**SHAPE, **other})

    def filled(**other):
        shape = {**SHAPE, **other}
        cache = empty(**other)
        one = torch.ones(shape["rows"], shape["heads"], 2, shape["head_dim"])
        for layer in range(shape["layers"]):
            cache.insert_kv(layer, one, one)
        return cache

    found = {
        name: trouble(empty().prefill, filled(**other)) is not None for name, other in OTHER_SHAPES.items()
    }
    found["into one with something in it"] = trouble(filled().prefill, filled()) is not None
    found["nothing into one with something in it"] = trouble(filled().prefill, empty()) is not None
    return found


def with_gradients(inputs):
    """A model that is trained reads with a cache: the second text's graph has nothing of the first."""
    import torch

    model = make_model(sequence_len=16, vocab_size=12, n_embd=4)
    randomise(model, inputs["seed"])
    cache = cache_for(model, 1, 8)
    first, second = torch.tensor([inputs["tokens"]]).split(3, dim=1)
    model(first, kv_cache=cache)
    kept = [keeps_graph(cache)]
    logits = model(second, kv_cache=cache)
    kept.append(keeps_graph(cache))
    logits.sum().backward()
    return {"kept": kept, "positions": int(cache.get_pos())}
