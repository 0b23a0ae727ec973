"""Generates with a model of random weights, again and again: what is the same, and what must not be."""

from itertools import zip_longest

from bughunt.lab.measuring.attempts import trouble
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.plans import draw_ids
from bughunt.lab.measuring.tokenizers import CharacterTokenizer

COLUMNS = 5


def draw(rng):
    """Ids for the tokenizer, seeds, and a prompt."""
    return {
        "ids": draw_ids(rng),
        "weights": rng.randrange(2**31),
        "seed": rng.randrange(1, 2**20),
        "prompt": [rng.randrange(200) for _ in range(5)],
    }


def measure(inputs):
    """Answers to questions about columns of tokens: are they the same?"""
    import torch
    from nanochat.engine import Engine

    tokenizer = CharacterTokenizer(inputs["ids"])
    model = make_model(sequence_len=8, vocab_size=200, n_head=2, n_embd=8)
    randomise(model, inputs["weights"], scale=1.0)
    engine, prompt, seed = Engine(model, tokenizer), inputs["prompt"], inputs["seed"]

    def columns(**options):
        options = {"max_tokens": COLUMNS, **options}
        return [(list(column), list(masks)) for column, masks in engine.generate(prompt, **options)]

    torch.manual_seed(1)
    state = torch.get_rng_state()
    three = columns(num_samples=3, seed=seed)
    world = torch.equal(state, torch.get_rng_state())
    torch.manual_seed(2)
    greedy = columns(temperature=0)
    fives = [columns(seed=seed + n, top_k=5) for n in range(3)]
    return {
        "the same seed": columns(num_samples=3, seed=seed) == three,
        "in inference mode": in_inference_mode(lambda: columns(num_samples=3, seed=seed)) == three,
        "of another engine": list(Engine(model, tokenizer).generate(prompt, 3, COLUMNS, seed=seed)) == three,
        "another seed": columns(num_samples=3, seed=seed + 1) == three,
        "three rows alike": all(len(set(column)) == 1 for column, _ in three),
        "the world's random numbers are untouched": world,
        "a seed of zero": columns(seed=0) == columns(seed=0),
        "a seed by default": columns() == columns(seed=42),
        "a temperature by default": columns(seed=seed) == columns(seed=seed, temperature=1.0, top_k=None),
        "one row by default": len(columns()[0][0]),
        "greedy is cold": columns(temperature=1e-4, seed=seed) == greedy,
        "greedy is the likeliest": columns(top_k=1, seed=seed) == greedy,
        "greedy with other seeds": columns(temperature=0.0, seed=seed) == greedy,
        "greedy rows": [[one[0]] * 3 for one, _ in greedy]
        == [one for one, _ in columns(num_samples=3, temperature=0.0)],
        "rows know the prompt": rows_know_the_prompt(inputs, tokenizer),
        "a row of a batch": batch_rows(engine, prompt, three, seed),
        "first of five likeliest": [five[0][0][0] in likeliest(model, prompt, 5) for five in fives],
        "in turns": in_turns(engine, prompt, seed) == [columns(seed=seed), columns(seed=seed + 1)],
        "refused": refusals(engine, prompt),
        "training": training(model, columns, prompt),
    }


def in_inference_mode(function):
    import torch

    with torch.inference_mode():
        return function()


def rows_know_the_prompt(inputs, tokenizer):
    """Whether several rows go on as one does, for a model that says what it has heard most of.

    Its queries are zero, so that every token hears the mean of all before it.
    """
    import torch
    from nanochat.engine import Engine

    model = make_model(sequence_len=64, vocab_size=200, n_head=2, n_embd=8)
    randomise(model, inputs["weights"])
    with torch.no_grad():
        attention, identity = model.transformer.h[0].attn, torch.eye(8)
        attention.c_q.weight.zero_()
        attention.c_v.weight.copy_(identity)
        attention.c_proj.weight.copy_(30.0 * identity)
        model.transformer.h[0].mlp.c_proj.weight.zero_()
    engine, found = Engine(model, tokenizer), []
    for first in range(5):
        options = {"max_tokens": 4, "temperature": 0.0}
        prompt = inputs["prompt"][first:] * 3
        one = [column[0] for column, _ in engine.generate(prompt, **options)]
        found.append([column for column, _ in engine.generate(prompt, 2, **options)] == [[t, t] for t in one])
    return found


def batch_rows(engine, prompt, columns, seed):
    """Whether `generate_batch` gives the same tokens, up to the end of each row."""
    special = engine.tokenizer.encode_special
    ends = special("<|assistant_end|>"), special("<|bos|>")
    rows = []
    for number in range(3):
        row = [column[number] for column, _ in columns]
        stop = next((n for n, token in enumerate(row) if token in ends), len(row))
        rows.append([*prompt, *row[:stop]])
    return engine.generate_batch(prompt, 3, max_tokens=COLUMNS, seed=seed)[0] == rows


def likeliest(model, prompt, count):
    import torch

    with torch.no_grad():
        return model(torch.tensor([prompt]))[0, -1].topk(count).indices.tolist()


def in_turns(engine, prompt, seed):
    """Two generations of one engine that go on in turns."""
    two = [engine.generate(prompt, max_tokens=COLUMNS, seed=seed + n) for n in range(2)]
    found = [[], []]
    for columns in zip_longest(*two):
        for one, column in zip(found, columns, strict=True):
            if column is not None:
                one.append(column)
    return found


def refusals(engine, prompt):
    """Whether options that make no sense are refused, at the latest when a column is asked for."""
    options = {
        "no rows": {"num_samples": 0},
        "fewer than no rows": {"num_samples": -1},
        "below freezing": {"temperature": -1.0},
        "top none": {"top_k": 0},
    }
    found = {
        name: trouble(lambda more=more: list(engine.generate(prompt, max_tokens=2, **more))) is not None
        for name, more in options.items()
    }
    return {**found, "no prompt": trouble(lambda: list(engine.generate([], max_tokens=2))) is not None}


def training(model, columns, prompt):
    """A model that has generated beyond its length can be trained on."""
    import torch

    columns(max_tokens=14)
    ids = torch.tensor([prompt * 4])
    model(ids[:, :-1], ids[:, 1:]).backward()
    return all(parameter.grad is not None for parameter in model.parameters())
