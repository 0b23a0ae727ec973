"""Lets the engine generate with a model whose every token is known beforehand, and that calls the calculator.

Where the engine should force tokens, the model wants something else: only what is forced comes out right.
"""

from itertools import islice, zip_longest

from bughunt.lab.measuring.models import make_cache
from bughunt.lab.measuring.plans import draw_ids, tokens_of
from bughunt.lab.measuring.scripted_model import ScriptedModel
from bughunt.lab.measuring.tokenizers import CharacterTokenizer

LETTERS = "abcdefghijklmnoprstuvwxyz "
# Not arithmetic, or arithmetic without a value.
WITHOUT_VALUE = ["7 // 0", "", "12 +", "print(3)", "x * 2", "(4", "1 / (3 - 3)"]


def draw(rng):
    """Batches of rows, each with a plan of its own, and the options to generate them with."""
    kinds = sums(rng)
    cases = [
        draw_case(rng, kinds, calls=[2]),
        draw_case(rng, kinds, calls=[1, 3, 0]),
        draw_case(rng, kinds, calls=[3, 3]),
        draw_case(rng, kinds, calls=[2, 0, 2, 1], cut=True),
        draw_case(rng, kinds, calls=[1, 1, 1], in_step=True),
        draw_case(rng, kinds, calls=[2], cut_in_answer=True, cached=True),
        draw_case(rng, kinds, calls=[1, 0], unlimited=True),
    ]
    return {"ids": draw_ids(rng), "cases": cases}


def draw_case(
    rng, kinds, *, calls, cut=False, cut_in_answer=False, in_step=False, unlimited=False, cached=False
):
    """A row for each number of calls; `cut` stops the generation before the longest row has ended.

    Rows that are `in_step` make calls of their own at the same time. An `unlimited` case has no largest
    number of tokens, and more of them than the model has positions. A `cached` one brings its own cache.
    """
    plans = [draw_plan(rng, kinds, count) for count in calls]
    if unlimited:
        plans[0]["parts"].insert(0, text(rng, 260, 280))
    if in_step:
        before = {"text": "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 5)))}
        for plan in plans:
            expression, result = draw_sum(rng, 0)
            plan["parts"][:2] = [dict(before), {"call": expression, "result": result}]
    # All rows draw their first token from the same logits.
    opening = rng.choice(LETTERS)
    for plan in plans:
        plan["parts"][0]["text"] = opening + plan["parts"][0]["text"]
    longest = max(length(plan) for plan in plans)
    forced = [n for plan in plans for n, (_, forced) in enumerate(tokens_of(plan)) if forced]
    max_tokens = longest + rng.randint(3, 9)
    if cut:
        max_tokens = rng.randint(longest * 2 // 3, longest - 1)
    elif cut_in_answer:
        max_tokens = 1 + rng.choice([n for n in forced if n + 1 in forced])
    elif unlimited:
        max_tokens = None
    options = {
        "max_tokens": max_tokens,
        "temperature": rng.choice([0.0, 0.7, 1.0]),
        "top_k": rng.choice([None, 5]),
        "seed": rng.randrange(1000),
    }
    return {
        # Of a generation that its reader gives up, in the middle of an answer if it can be.
        "given_up": rng.choice(forced) if forced else 3,
        "prompt": "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 6))),
        "plans": plans,
        "cached": cached,
        # Where there is no limit, all else is as it is by default, too.
        "options": {"max_tokens": None} if unlimited else options,
    }


def draw_plan(rng, kinds, calls):
    parts = [text(rng, 0, 5)]
    without_value = rng.randrange(calls) if calls > 1 else None
    for number in range(calls):
        if number == without_value:
            parts.append({"call": rng.choice(WITHOUT_VALUE), "result": None})
        else:
            expression, result = next(kinds)
            parts.append({"call": expression, "result": result})
        parts.append(text(rng, 0 if rng.random() < 0.3 else 1, 6))
    answered = [part for part in parts if part.get("result") is not None]
    if calls > 1:  # the same again, with the same answer
        parts.append(dict(answered[-1]))
    # The end of a call that never began is nothing to the engine, whatever the text before it.
    parts.append({**text(rng, 0, 3), "unmatched": rng.random() < 0.7})
    parts.append({"text": f"{rng.randint(10, 99)} + {rng.randint(10, 99)}", "unmatched": rng.random() < 0.7})
    parts.append(text(rng, 1, 3))
    return {"parts": parts, "end": rng.choice(["<|assistant_end|>", "<|assistant_end|>", "<|bos|>"])}


def text(rng, least, most):
    return {"text": "".join(rng.choice(LETTERS) for _ in range(rng.randint(least, most)))}


def sums(rng):
    """Expressions and their values as text, of every kind in turn."""
    while True:
        for kind in rng.sample(range(5), 5):
            yield draw_sum(rng, kind)


def draw_sum(rng, kind):
    a, b = rng.randint(100, 999), rng.randint(10, 99)
    if kind == 0:
        a *= rng.choice([1, 1001, 1000001])
        return f"{a} + {b}", str(a + b)
    if kind == 1:
        return f"({a} - {b}) * {b}", str((a - b) * b)
    if kind == 2:
        return f"{b} - {a}", str(b - a)
    if kind == 3:
        quarters = 4 * a + rng.choice([1, 3])
        return f"{quarters} / 4", f"{a}.{'25' if quarters % 4 == 1 else '75'}"
    word = "".join(rng.choice("abc") for _ in range(rng.randint(30, 60)))
    return f"'{word}'.count('a')", str(word.count("a"))


def length(plan):
    return sum(1 for _ in tokens_of(plan))


def measure(inputs):
    """`cases`: the columns of `generate` with their masks, what the model was given to read after the prompt,
    and the rows and masks of `generate_batch`; no rows where `generate` did not end. `in_turns`: the tokens
    of two cases whose columns come in turns, from one engine."""
    from nanochat.engine import Engine

    tokenizer = CharacterTokenizer(inputs["ids"])
    measured = []
    for case in inputs["cases"]:
        prompt = prompt_of(case, tokenizer)
        model = scripted_model(inputs, case)
        engine = Engine(model, tokenizer)
        for _ in islice(engine.generate(prompt, **arguments(case)), case["given_up"]):
            pass
        model.restart()
        # A generation without a limit may have no end, either.
        most = max(length(plan) for plan in case["plans"]) + 20
        columns = [
            (numbers(column), numbers(masks))
            for column, masks in islice(engine.generate(prompt, **arguments(case)), most)
        ]
        given = model.given
        model.restart()
        rows, masks = ([], []) if len(columns) == most else engine.generate_batch(prompt, **arguments(case))
        measured.append(
            {
                "columns": [column for column, _ in columns],
                "column_masks": [masks for _, masks in columns],
                "given": given,
                "rows": [numbers(row) for row in rows],
                "row_masks": [numbers(row) for row in masks],
            }
        )
    single = [case for case in inputs["cases"] if len(case["plans"]) == 1]
    return {"cases": measured, "in_turns": generate_in_turns(inputs, single, tokenizer)}


def generate_in_turns(inputs, cases, tokenizer):
    """The row of each case; None where the engine gives the model other caches than it was given."""
    from nanochat.engine import Engine

    caches = [own_cache() for _ in cases]
    switch = Switch(
        [(cache, scripted_model(inputs, case)) for cache, case in zip(caches, cases, strict=True)]
    )
    engine = Engine(switch, tokenizer)
    rows = [[] for _ in cases]
    generations = [
        engine.generate(prompt_of(case, tokenizer), kv_cache=cache, **case["options"])
        for case, cache in zip(cases, caches, strict=True)
    ]
    try:
        for columns in zip_longest(*generations):
            for row, column in zip(rows, columns, strict=True):
                row += [] if column is None else numbers(column[0])
    except UnknownCache:
        return None
    return rows


class Switch:
    """As many models as there are caches; a cache tells which of them is meant."""

    def __init__(self, models):
        self.models = models
        self.config = models[0][1].config
        self.get_device = models[0][1].get_device

    def forward(self, ids, kv_cache=None):
        for cache, model in self.models:
            if cache is kv_cache:
                return model.forward(ids)
        raise UnknownCache

    __call__ = forward


class UnknownCache(Exception):
    pass


def prompt_of(case, tokenizer):
    return [tokenizer.get_bos_token_id(), *tokenizer.encode(case["prompt"])]


def arguments(case):
    """The options of a case for `generate`; a cache of its own is a new one."""
    cache = {"kv_cache": own_cache()} if case["cached"] else {}
    return {"num_samples": len(case["plans"]), **cache, **case["options"]}


def own_cache():
    return make_cache(1, 256, head_dim=4)


def scripted_model(inputs, case):
    """It says each plan; in the places of forced tokens it wants to end its turn, or something else, and
    after its end it wants to go on, and to make calls."""
    ids = inputs["ids"]
    wishes = [ids["<|assistant_end|>"], ids["q"], ids["?"]]
    scripts = [
        [
            wishes[(row + n) % len(wishes)] if forced else ids[name]
            for n, (name, forced) in enumerate(tokens_of(plan))
        ]
        for row, plan in enumerate(case["plans"])
    ]
    after = ["q", "<|python_start|>", *"2 + 2", "<|python_end|>", "?"]
    return ScriptedModel(scripts, max(ids.values()) + 1, [ids[name] for name in after])


def numbers(values):
    return [int(value) for value in values]
