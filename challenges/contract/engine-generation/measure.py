"""Lets the engine generate rows that are known beforehand and end at different times; no tool is called."""

from itertools import islice

from bughunt.lab.measuring.plans import draw_ids
from bughunt.lab.measuring.scripted_model import ScriptedModel
from bughunt.lab.measuring.tokenizers import CharacterTokenizer
from bughunt.lab.measuring.watched_model import WatchedModel

LETTERS = "abcdefghijklmnopqrstuvwxyz"
ENDS = ("<|assistant_end|>", "<|bos|>")
# What a row wants to say once it has ended: it must not.
AFTER = ("<|python_start|>", "1", "+", "1", "<|python_end|>", "z", "<|bos|>", "y", "y")
# No end: the engine has nothing to do with these.
INNOCENT = ("<|user_start|>", "<|assistant_start|>", "<|output_end|>", "<|user_end|>", "<|output_start|>")


def draw(rng):
    """Rows of names of tokens up to their ends, by the case, and how many columns there may be."""
    lengths = [rng.randint(2, 3), rng.randint(5, 6), rng.randint(8, 9)]
    ends = [ENDS[n % 2] for n in range(3)]
    rng.shuffle(ends)
    rows = [draw_row(rng, length, end) for length, end in zip(lengths, ends, strict=True)]
    rng.shuffle(rows)
    longest = max(map(len, rows))
    cases = {
        "all end": [rows, longest + 3],
        "to the last column": [rows, longest],
        "one column less": [rows, longest - 1],
        "cut": [rows, rng.randint(4, 5)],
        "no limit": [rows[:2], None],
        "one row": [rows[1:2], None],
        "one row, cut": [[draw_row(rng, 6, ENDS[0])], 4],
        "one column": [rows, 1],
        "no column": [rows[:1], 0],
        "ended at once": [[[ENDS[0]], [ENDS[0]]], 5],
        "ended at once, one row": [[[ENDS[1]]], None],
        "no end": [[["a", *INNOCENT, "b"], ["a", "c", "d"]], 12],
    }
    return {
        "ids": draw_ids(rng),
        "prompt": "".join(rng.choice(LETTERS) for _ in range(rng.randint(2, 5))),
        "cases": cases,
        "temperatures": {name: rng.choice([0.0, 1.0, 1.3]) for name in cases},
    }


def draw_row(rng, length, end):
    return ["o", *(rng.choice(LETTERS) for _ in range(length - 1)), end]


def measure(inputs):
    """For every case the columns with their masks, what is read, and the rows of `generate_batch`."""
    tokenizer = CharacterTokenizer(inputs["ids"])
    return {name: generate(inputs, name, tokenizer) for name in inputs["cases"]}


def generate(inputs, name, tokenizer):
    from nanochat.engine import Engine

    ids, (rows, most) = inputs["ids"], inputs["cases"][name]
    scripts = [[ids[one] for one in (*row, *(AFTER if row[-1] in ENDS else ()))] for row in rows]
    model = ScriptedModel(scripts, max(ids.values()) + 1, [ids["y"]])
    watched = WatchedModel(model)
    engine = Engine(watched, tokenizer)
    prompt = [tokenizer.get_bos_token_id(), *tokenizer.encode(inputs["prompt"])]
    options = {"max_tokens": most, "temperature": inputs["temperatures"][name]}
    if name == "no limit":
        del options["max_tokens"]
    if len(rows) > 1:
        options["num_samples"] = len(rows)
    columns = list(islice(engine.generate(prompt, **options), 30))
    names = {number: one for one, number in ids.items()}
    read = watched.positions
    needed = len(prompt) + len(rows) * max(len(columns) - 1, 0)
    lengths = [min(len(row), len(columns)) for row in rows]
    given = [one[: length - 1] for one, length in zip(model.given, lengths, strict=True)]
    model.restart()
    texts, masks = engine.generate_batch(prompt, **options) if len(columns) < 30 else ([], [])
    return {
        "columns": [[names[int(token)] for token in column] for column, _ in columns],
        "masks": [[int(mask) for mask in masks] for _, masks in columns],
        "read": [[names[token] for token in one] for one in given],
        "more is read than needed": max(read - needed, 0),
        "batch": [[names[int(token)] for token in text] for text in texts],
        "masks of the batch": [[int(mask) for mask in one] for one in masks],
        "the prompt is as it was": prompt[1:] == tokenizer.encode(inputs["prompt"]),
    }
