"""Encodes texts with and without tokens in front and behind, one at a time and in lists."""

from bughunt.lab import texts

# Without a single merge, a token is a byte and its id is the byte's value: the judge knows every id.
BYTES_ONLY = 256
SPECIALS = (
    "<|bos|>",
    "<|user_start|>",
    "<|user_end|>",
    "<|assistant_start|>",
    "<|assistant_end|>",
    "<|python_start|>",
    "<|python_end|>",
    "<|output_start|>",
    "<|output_end|>",
)


def draw(rng):
    """Texts to train on, the size of a vocabulary with merges, and what to encode."""
    samples = [texts.sentence(rng, rng.randint(2, 6)) for _ in range(4)]
    samples += ["", "a", f"{texts.word(rng)} {rng.choice(SPECIALS)} {texts.word(rng)}"]
    rng.shuffle(samples)
    calls = []
    for prepend in ("<|bos|>", rng.choice(SPECIALS[1:]), 0, rng.randint(1, 255), 256 + rng.randrange(9)):
        append = rng.choice([None, None, rng.choice(SPECIALS), 0, rng.randint(1, 255)])
        calls.append({"text": rng.choice(samples), "prepend": prepend, "append": append})
        calls.append({"text": rng.sample(samples, rng.randint(2, 5)), "prepend": prepend, "append": append})
    calls += [
        {"text": samples[0], "prepend": None, "append": None},
        {"text": list(samples), "prepend": None, "append": None},
        {"text": rng.choice(samples), "prepend": None, "append": rng.choice(SPECIALS)},
        {"text": rng.sample(samples, 3), "prepend": None, "append": rng.choice(SPECIALS)},
        {"text": [rng.choice(samples)], "prepend": "<|bos|>", "append": None},
        {"text": [], "prepend": "<|bos|>", "append": None},
    ]
    for call in calls:
        call["num_threads"] = rng.choice([1, 2, 4, 8])
    rng.shuffle(calls)
    corpus = [texts.sentence(rng, 40) for _ in range(10)]
    return {"corpus": corpus, "merges": rng.randint(20, 60), "calls": calls, "texts": samples}


def measure(inputs):
    """The ids of every call, by a tokenizer of bytes only and by one with merges.

    Each call is made twice on the same argument, and the first answer is spoilt in between, so that ids
    kept from one call to the next would show.
    """
    from nanochat.tokenizer import RustBPETokenizer

    measured = {}
    for name, merges in (("bytes", 0), ("merges", inputs["merges"])):
        size = BYTES_ONLY + merges + len(SPECIALS)
        tokenizer = RustBPETokenizer.train_from_iterator(iter(inputs["corpus"]), size)
        special_ids = {token: tokenizer.encode_special(token) for token in SPECIALS}
        measured[name] = {
            "special_ids": special_ids,
            "plain": [list(tokenizer.encode(text)) for text in inputs["texts"]],
            "decoded": [tokenizer.decode(tokenizer.encode(text)) for text in inputs["texts"]],
            "calls": [_call(tokenizer, call) for call in inputs["calls"]],
        }
    return measured


def _call(tokenizer, call):
    argument = list(call["text"]) if isinstance(call["text"], list) else call["text"]
    options = {name: call[name] for name in ("prepend", "append", "num_threads")}
    first = tokenizer.encode(argument, **options)
    noted = [list(row) for row in first] if isinstance(argument, list) else list(first)
    first.append(first[0] if first else [])
    again = tokenizer.encode(argument, **options)
    return {"ids": noted, "again": again, "argument": argument}
