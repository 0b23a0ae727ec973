"""Encodes texts with and without tokens in front and behind, one at a time and in lists."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.configured import byte_tokenizer
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

# Without a single merge, a token is a byte and its id is the byte's value: every id is known.
BYTES_ONLY = 256
THREADS = (1, 8, 2, 4)


def draw(rng):
    """Texts to train on, the size of a vocabulary with merges, and what to encode."""
    spelled, padded = f"{rng.choice(SPECIAL_TOKENS)} {texts.word(rng)}", f"  {texts.sentence(rng, 2)} \n"
    with_bos = [f"{texts.word(rng)} <|bos|> {texts.word(rng)}", f"<|bos|>{texts.word(rng)}"]
    samples = [texts.sentence(rng, rng.randint(2, 6)) for _ in range(4)]
    begins_with_a = f"an {texts.word(rng)}"
    samples += ["", "a", begins_with_a, spelled, padded, *with_bos]
    rng.shuffle(samples)
    special = rng.choice(SPECIAL_TOKENS[1:])

    calls = []
    for prepend in ("<|bos|>", special, 0, rng.randint(1, 255), 256 + rng.randrange(9)):
        for append in (None, rng.choice([rng.choice(SPECIAL_TOKENS), 0, rng.randint(1, 255)])):
            calls.append((rng.choice(samples), prepend, append))
            calls.append((rng.sample(samples, rng.randint(2, 5)), prepend, append))
    twice = rng.choice(samples[:4])
    calls += [
        # Rows that a rule of thumb gets wrong: empty ones, equal ones, ones that begin with the very token.
        ("", "<|bos|>", None),
        (["", samples[0], ""], "<|bos|>", None),
        ([samples[1], twice, twice, "a", "a"], "<|bos|>", None),
        ("a", ord("a"), None),
        (["a", begins_with_a, samples[2]], ord("a"), None),
        (rng.choice(with_bos), "<|bos|>", None),
        ([*with_bos, samples[3]], "<|bos|>", None),
        ([rng.choice(samples)], "<|bos|>", None),
        ([], "<|bos|>", None),
        (padded, special, None),
        (rng.choice(samples), None, None),
        (list(samples), None, None),
        (rng.choice(samples), None, rng.choice(SPECIAL_TOKENS)),
        ([*rng.sample(samples, 3), twice, twice], None, rng.choice(SPECIAL_TOKENS)),
        ([begins_with_a, "a", padded], None, rng.choice(SPECIAL_TOKENS)),
    ]
    calls = [
        {"text": text, "prepend": prepend, "append": append, "num_threads": THREADS[i // 2 % len(THREADS)]}
        for i, (text, prepend, append) in enumerate(calls)
    ]
    rng.shuffle(calls)
    return {
        "corpus": [texts.sentence(rng, 40) for _ in range(10)],
        "merges": rng.randint(20, 60),
        "specials": list(SPECIAL_TOKENS),
        "calls": calls,
        "texts": samples,
        "documents": _draw_documents(rng),
        "unknown": [f"<|{texts.word(rng)}|>", -1, -rng.randint(2, 9), 10**6 + rng.randrange(999)],
    }


def _draw_documents(rng):
    """More than the loader tokenizes at once, and one as long as those of the default corpus may be."""
    documents = [texts.word(rng) for _ in range(rng.randint(150, 200))]
    documents[rng.randrange(20)] = texts.sentence(rng, 2000)
    return documents


def measure(inputs):
    """The ids of every call, by a tokenizer of bytes only and by one with merges.

    Each call is made twice on the same argument, and the first answer is spoilt in between, so that ids
    kept from one call to the next would show. Then the tokenizer itself is called, which is to do the same.

    `loaded` are the ids of bytes that the loader makes of the documents, as a string with a character of that
    number for each; None where the loader fails.
    """
    from nanochat.tokenizer import RustBPETokenizer

    measured = {}
    for name, merges in (("bytes", 0), ("merges", inputs["merges"])):
        size = BYTES_ONLY + merges + len(SPECIAL_TOKENS)
        tokenizer = RustBPETokenizer.train_from_iterator(iter(inputs["corpus"]), size)
        special_ids = {token: tokenizer.encode_special(token) for token in SPECIAL_TOKENS}
        # The id after the last one is unknown, too.
        unknown = [*inputs["unknown"], max(special_ids.values()) + 1]
        measured[name] = {
            "special_ids": special_ids,
            "plain": [_plain(tokenizer.encode(text)) for text in inputs["texts"]],
            "decoded": [tokenizer.decode(tokenizer.encode(text)) for text in inputs["texts"]],
            "calls": [_call(tokenizer, call) for call in inputs["calls"]],
            "unknown": [
                {"token": token, "where": where, "outcomes": _refusal(tokenizer, {where: token})}
                for token in unknown
                for where in ("prepend", "append")
            ],
        }
    measured["loaded"] = _loaded(inputs["documents"])
    return measured


def _loaded(documents):
    """One row of inputs, as many as there are when each document has one token in front."""
    try:
        from nanochat.dataloader import tokenizing_distributed_data_loader

        length = sum(1 + len(document.encode()) for document in documents)
        batches = tokenizing_distributed_data_loader(
            1, length, "train", documents=documents, tokenizer=byte_tokenizer(), rank=0, world_size=1
        )
        inputs, _ = next(batches)
        return "".join(chr(number) for number in inputs.flatten().tolist())
    except Exception:
        return None


def _call(tokenizer, call):
    argument = list(call["text"]) if isinstance(call["text"], list) else call["text"]
    options = {name: call[name] for name in ("prepend", "append", "num_threads")}
    first = tokenizer.encode(argument, **options)
    noted = _plain(first)
    _spoil(first)
    again = _plain(tokenizer.encode(argument, **options))
    try:
        called = _plain(tokenizer(argument, **options))
    except Exception as error:
        called = {"type": type(error).__name__}
    return {"ids": noted, "again": again, "called": called, "argument": argument}


def _plain(answer):
    """Lists and whole numbers as they are; of anything else the name of its type."""
    if isinstance(answer, list):
        return [_plain(one) for one in answer]
    return answer if type(answer) is int else {"type": type(answer).__name__}


def _spoil(answer):
    if not isinstance(answer, list):
        return
    for row in answer:
        if isinstance(row, list):
            row.insert(0, 1)
    answer.append(list(answer[0]) if answer and isinstance(answer[0], list) else 2)


def _refusal(tokenizer, options):
    """What comes of asking for a token that there is not: an error's name, or ids after all."""
    outcomes = []
    for text in ("a", ["a"]):
        try:
            outcomes.append(_plain(tokenizer.encode(text, **options)))
        except ValueError:
            outcomes.append("ValueError")
        except Exception as error:
            outcomes.append(type(error).__name__)
    return outcomes
