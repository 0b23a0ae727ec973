"""Generates piece by piece in one cache of the caller's, as a conversation does, and reads on in it."""

from bughunt.lab.measuring.attempts import trouble
from bughunt.lab.measuring.gaps import largest_gap
from bughunt.lab.measuring.models import cache_for, make_model, randomise
from bughunt.lab.measuring.plans import draw_ids
from bughunt.lab.measuring.tokenizers import CharacterTokenizer
from bughunt.lab.measuring.watched_model import WatchedModel

# No letter that the model is taught ends a row.
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def draw(rng):
    """Ids for the tokenizer, a seed for the model, and what is said before each of three answers."""
    texts = ["".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 4))) for _ in range(3)]
    return {
        "ids": draw_ids(rng),
        "seed": rng.randrange(2**31),
        "texts": texts,
        "capacity": rng.choice([4, 64]),
    }


def measure(inputs):
    """What is read for every answer, the positions after it, and whether it is that to the whole text."""
    import torch
    from nanochat.engine import Engine

    tokenizer = CharacterTokenizer(inputs["ids"])
    model = silent_about_ends(inputs)
    watched = WatchedModel(model)
    engine = Engine(watched, tokenizer)
    cache = cache_for(model, 1, inputs["capacity"])
    tokens, turns = [], []
    for text in inputs["texts"]:
        tokens += tokenizer.encode(text)
        new = tokens[int(cache.get_pos()) :]
        watched.first_row.clear()
        answer, modes = [], set()
        for column, _ in engine.generate(new, max_tokens=5, temperature=0.0, kv_cache=cache):
            answer += column
            modes.add(torch.is_grad_enabled())
        read = list(watched.first_row)
        whole = [column[0] for column, _ in engine.generate(tokens, max_tokens=5, temperature=0.0)]
        turns.append(
            {
                "as to the whole text": answer == whole,
                "tokens": len(answer),
                "only what is new is read": read == [*new, *answer[:-1]],
                "position": int(cache.get_pos()),
                "the caller's gradients are on": sorted(modes),
            }
        )
        tokens += answer
    return {
        "turns": turns,
        "gradients": watched.gradients_were_on,
        "read on": read_on(model, cache, tokens),
        "refused": refusals(engine, model, tokens),
    }


def silent_about_ends(inputs):
    """A model of random weights to which all special tokens are the least likely."""
    import torch

    model = make_model(sequence_len=64, vocab_size=200, n_head=2, n_embd=8)
    randomise(model, inputs["seed"], scale=1.0)
    letters = [inputs["ids"][letter] for letter in LETTERS]
    with torch.no_grad():
        weight = model.lm_head.weight
        kept = weight[letters].clone()
        weight.zero_()
        # One of a letter and its neighbour, with the sign turned, is above zero.
        weight[letters[::2]] = kept[::2]
        weight[letters[1::2]] = -kept[::2]
    return model


def read_on(model, cache, tokens):
    """The caller reads on in the cache: how far from reading everything again."""
    import torch

    rest = tokens[int(cache.get_pos()) :]
    with torch.no_grad():
        logits = model(torch.tensor([[*rest, 3, 1]]), kv_cache=cache)[:, -2:]
        right = model(torch.tensor([[*tokens, 3, 1]]))[:, -2:]
    return {"left to read": len(rest), "away": largest_gap(logits.tolist(), right.tolist())}


def refusals(engine, model, tokens):
    """Whether a conversation can be gone on with in several rows."""

    def go_on(rows):
        list(engine.generate(tokens, rows, 2, kv_cache=cache_for(model, 1, 64)))

    return {"two rows": trouble(go_on, 2) is not None, "one row": trouble(go_on, 1) is not None}
