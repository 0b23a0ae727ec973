"""Holds conversations in a cache and weighs the memory that it keeps, after every step and after a reset."""

from bughunt.lab.measuring.attempts import attempt
from bughunt.lab.measuring.devices import trouble_elsewhere
from bughunt.lab.measuring.graphs import held_after_each
from bughunt.lab.measuring.models import cache_for, make_cache, make_model, randomise
from bughunt.lab.measuring.storages import bytes_held, weigh

VOCABULARY = 12
SINGLE_TOKENS = 90

# Of the demonstration: a conversation of so many turns of so many tokens.
TURNS, TURN = 60, 211


def draw(rng):
    """Conversations: the capacity that a cache is made with, and the lengths of what is read one by one."""
    small, start = rng.randint(3, 9), 1024 * rng.randint(2, 3)
    missing, roomy = rng.randint(1, 120), rng.randint(1050, 1400)
    return {
        "cases": [
            # Small enough for every lost key to show.
            draw_case(rng, small, [small - 1, 2, 1, 4, 1, 1, 3], rows=rng.randint(3, 5)),
            # To the brim, a few tokens more, and on token by token.
            draw_case(rng, start - missing, [start - missing, missing], SINGLE_TOKENS),
            # A prompt that is many times what the cache was made for, and then another one.
            draw_case(rng, rng.randint(20, 200), [2048, 1, 1024, 1]),
            # A roomy cache, hardly used, and then more than all of its room.
            draw_case(rng, roomy, [rng.randint(1, 3), roomy, 1], training=True),
        ],
        "layered": [
            {
                "layers": rng.randint(2, 4),
                "rows": rng.randint(1, 3),
                "heads": rng.randint(1, 3),
                "head_dim": rng.choice([4, 6]),
                "capacity": rng.randint(20, 200),
                "chunks": 6,
                "length": rng.randint(400, 600),
                "dtype": dtype,
                "seed": rng.randrange(2**31),
            }
            for dtype in ("bfloat16", "float64")
        ],
    }


def draw_case(rng, capacity, lengths, single_tokens=0, rows=1, training=False):
    """In `training` gradients are on."""
    return {
        "capacity": capacity,
        "lengths": lengths,
        "single_tokens": single_tokens,
        "rows": rows,
        "training": training,
        "heads": rng.choice([1, 2]),
        "head_dim": rng.choice([4, 6]),
        "ids": rng.randrange(2**31),
        "seed": rng.randrange(2**31),
        "again": [1, rng.randint(1, 3), 1],
    }


def measure(inputs):
    """`cases`: what a cache holds and answers along a conversation, after a reset, and then again.
    `layered`: what a cache of several layers holds, in several dtypes. `elsewhere`: why a cache cannot grow
    on another device. `kept`: how many numbers a cache keeps for gradients while it grows, and when it was
    reset. `demo`: need and capacity over a long conversation."""
    import torch

    with torch.no_grad():
        cases = [readings(converse, case) for case in inputs["cases"]]
        layered = []
        for case in inputs["layered"]:
            # As an engine does that makes the cache itself, or is given one.
            with torch.inference_mode(case["dtype"] == "bfloat16"):
                layered.append(readings(insert, case))
        demo = attempt(talk_long)
        elsewhere = grow_elsewhere()
        kept = attempt(keep_for_gradients, inputs["cases"][0])
    return {"cases": cases, "layered": layered, "elsewhere": elsewhere, "kept": kept, "demo": demo}


def keep_for_gradients(case):
    """After each piece of a text that is read with gradients on, and after a reset."""
    import torch

    model, ids, _ = model_and_texts(case)
    model.train()
    cache = cache_for(model, case["rows"], case["capacity"])

    def read():
        for chunk in ids.split(case["lengths"], dim=1):
            yield model(chunk, kv_cache=cache)
        cache.reset()
        yield None

    with torch.enable_grad():
        return held_after_each(model, read())


def grow_elsewhere():
    """Why a cache on another device cannot grow, if it cannot."""
    import torch

    def insert(chunk):
        cache = make_cache(1, 4)
        return [cache.insert_kv(0, chunk, chunk)[0] for _ in range(3)][-1]

    return trouble_elsewhere(lambda device: torch.zeros(1, 1, 3, 2, device=device), insert)


def readings(read, case):
    """The readings up to the first error, and that."""
    found = {"steps": []}
    return found | (attempt(read, case, found) or {})


def reference(inputs):
    """What models without a cache answer to the texts of the `cases`; for `layered`, the sums of the keys and
    values that are given."""
    import torch

    with torch.no_grad():
        return {
            "cases": [answers(case) for case in inputs["cases"]],
            "layered": [
                [sums(given[:, :, :, :, :end]) for end in ends(case)]
                for case, given in ((case, keys_and_values(case)) for case in inputs["layered"])
            ],
        }


def answers(case):
    import torch

    model, ids, more = model_and_texts(case)
    # What is read one after the other, up to what the witness of a copy reads.
    logits = model(torch.cat([ids, *more, (ids[:, :1] + 1) % VOCABULARY, ids[:, 1:2]], dim=1))
    ends = [sum(case["lengths"][: number + 1]) for number in range(len(case["lengths"]))]
    again = model(ids.flip(1)[:, : sum(case["again"])])
    ends_again = [sum(case["again"][: number + 1]) for number in range(len(case["again"]))]
    prefilled = model(torch.cat([ids[:1, :4].expand(case["rows"], -1), ids[:, 4:5]], dim=1))
    return {
        "roomy": [logits[:, end - 1].tolist() for end in ends],
        "witness": [logits[:, end].tolist() for end in (-2, -1)],
        "fresh": [*(again[:, end - 1].tolist() for end in ends_again), prefilled[:, -1].tolist()],
    }


def model_and_texts(case):
    """The model, rows of ids, and then tokens one by one."""
    import torch

    generator = torch.Generator().manual_seed(case["ids"])
    total, rows = sum(case["lengths"]), case["rows"]
    longest = total + case["single_tokens"]
    width = case["heads"] * case["head_dim"]
    model = make_model(sequence_len=longest + 8, vocab_size=VOCABULARY, n_head=case["heads"], n_embd=width)
    randomise(model, case["seed"])
    ids = torch.randint(VOCABULARY, (rows, total), generator=generator)
    return model, ids, torch.randint(VOCABULARY, (case["single_tokens"], rows, 1), generator=generator)


def converse(case, found):
    import torch

    model, ids, more = model_and_texts(case)
    model.train(case["training"])
    with torch.set_grad_enabled(case["training"]):
        converse_with(model, ids, more, case, found)


def converse_with(model, ids, more, case, found):
    total, rows = sum(case["lengths"]), case["rows"]

    def read(cache, chunk):
        return model(chunk, kv_cache=cache)[:, -1].tolist()

    roomy, cache = cache_for(model, rows, total), cache_for(model, rows, case["capacity"])
    found["bytes_a_position"] = 2 * rows * case["heads"] * case["head_dim"] * 4
    found["new"] = bytes_held(cache)
    for chunk in ids.split(case["lengths"], dim=1):
        roomy_answer, answer = read(roomy, chunk), read(cache, chunk)
        found["steps"].append({**weigh(cache), "answer": answer, "roomy": roomy_answer})
    for token in more:
        read(cache, token)
        found["steps"].append(weigh(cache))

    # A copy of a cache that has grown. The two part, and each goes on with its own.
    copy, witness = (cache_for(model, rows, case["capacity"]) for _ in range(2))
    copy.prefill(cache)
    witness.prefill(cache)
    other = (ids[:, :1] + 1) % VOCABULARY
    expected = [read(witness, other), read(witness, ids[:, 1:2])]
    answer = [read(copy, other), read(cache, ids[:, :1]), read(copy, ids[:, 1:2])]
    found["copied"] = {"answer": [answer[0], answer[2]], "witness": expected}
    del copy, witness

    cache.reset()
    found["after_reset"] = {"bytes": bytes_held(cache), "position": int(cache.get_pos())}
    # The same again, in a cache that was reset and in a new one.
    fresh = cache_for(model, rows, case["capacity"])
    found["again"] = []
    for chunk in ids.flip(1)[:, : sum(case["again"])].split(case["again"], dim=1):
        expected, answer = read(fresh, chunk), read(cache, chunk)
        found["again"].append(
            {
                "bytes": bytes_held(cache),
                "fresh_bytes": bytes_held(fresh),
                "answer": answer,
                "fresh": expected,
                "positions": [int(cache.get_pos()), int(fresh.get_pos())],
            }
        )
    # A cache that was reset can take over what another one holds, as a new one can.
    cache.reset()
    cache.reset()
    prompt, other = cache_for(model, 1, 4), cache_for(model, rows, case["capacity"])
    model(ids[:1, :4], kv_cache=prompt)
    cache.prefill(prompt)
    other.prefill(prompt)
    found["prefilled"] = {
        "bytes": bytes_held(cache),
        "fresh_bytes": bytes_held(other),
        "answer": read(cache, ids[:, 4:5]),
        "fresh": read(other, ids[:, 4:5]),
    }


def insert(case, found):
    """Keys and values as a model of several layers would insert them, in chunks of one length.

    `kept` tells whether each layer has them all, as they were, at the end of what it gives back; `sums` are
    those of the keys and the values there.
    """
    import torch

    layers, rows, heads, length = (case[name] for name in ("layers", "rows", "heads", "length"))
    given = keys_and_values(case)
    dtype = given.dtype
    cache = make_cache(rows, case["capacity"], layers=layers, heads=heads, head_dim=case["head_dim"])
    found["new"] = bytes_held(cache)
    found["bytes_a_position"] = layers * 2 * rows * heads * case["head_dim"] * dtype.itemsize
    for end in ends(case):
        kept, there = [], []
        for layer in range(layers):
            both = cache.insert_kv(layer, *given[layer, :, :, :, end - length : end])
            there.append([got[:, :, -end:].double().sum().item() for got in both])
            kept.append(
                all(
                    got.dtype == dtype and torch.equal(got[:, :, -end:], right[:, :, :end])
                    for got, right in zip(both, given[layer], strict=True)
                )
            )
        found["steps"].append(
            {"kept": kept, "sums": there, "position": int(cache.get_pos()), "bytes": bytes_held(cache)}
        )
    del both
    cache.reset()
    found["after_reset"] = bytes_held(cache)


def keys_and_values(case):
    """(layers, keys and values, rows, heads, positions, width of a head)"""
    import torch

    shape = (
        case["layers"],
        2,
        case["rows"],
        case["heads"],
        case["chunks"] * case["length"],
        case["head_dim"],
    )
    generator = torch.Generator().manual_seed(case["seed"])
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(getattr(torch, case["dtype"]))


def ends(case):
    return range(case["length"], case["chunks"] * case["length"] + 1, case["length"])


def sums(given):
    return given.double().sum(dim=(2, 3, 4, 5)).tolist()


def talk_long():
    """Keys and values for one turn after the other, inserted as a model of one layer would."""
    import torch

    cache = make_cache(1, 256)
    need, capacity = [], []
    for _ in range(TURNS):
        cache.insert_kv(0, torch.zeros(1, 1, TURN, 2), torch.zeros(1, 1, TURN, 2))
        need.append(int(cache.get_pos()))
        capacity.append(bytes_held(cache) // 16)
    if need[-1] != TURNS * TURN:
        return {"error": f"after {TURNS} insertions of {TURN} positions the cache counts {need[-1]}"}
    cache.reset()
    return {"need": need, "capacity": capacity, "after_reset": bytes_held(cache) // 16}
