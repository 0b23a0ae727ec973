"""Lets the engine generate rows that call the calculator; where tokens are forced, the model wants others."""

from itertools import islice

from bughunt.lab.measuring.plans import draw_ids, tokens_of
from bughunt.lab.measuring.scripted_model import ScriptedModel
from bughunt.lab.measuring.tokenizers import CharacterTokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz"
START, CLOSE = "<|python_start|>", "<|python_end|>"
END = "<|assistant_end|>"


def draw(rng):
    """Rows: lists of parts, each a text, a call with its result, or tokens by name."""

    def text():
        return {"text": "".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 3)))}

    def call():
        a, b = rng.randint(10, 999), rng.randint(10, 99)
        return rng.choice(
            [
                {"call": f"{a}*{b}", "result": str(a * b)},
                {"call": f"{b} - {a * 9}", "result": str(b - a * 9)},
                {"call": f"{4 * a + 1} / 4", "result": f"{a}.25"},
            ]
        )

    failing = {"call": rng.choice(["7/0", "", "12+", "x*2", "(4"]), "result": None}
    sum_ = {"call": "40+2", "result": "42"}
    again = call()
    rows = {
        "two calls": [text(), call(), text(), call()],
        "at once": [text(), call(), call(), text()],
        "the same call": [text(), again, again, text()],
        "without a value": [text(), failing, text(), call()],
        "without a value twice": [text(), failing, failing, sum_],
        "unclosed": [text(), {"tokens": [START, "1", "+", "1"]}],
        "no call": [text(), text()],
        "closed without a call": [{"text": "+1"}, {"tokens": [CLOSE]}, text(), call()],
        "closed twice": [text(), call(), {"text": "3"}, {"tokens": [CLOSE]}, text()],
        "a failing one, closed twice": [text(), failing, {"text": "3*3"}, {"tokens": [CLOSE]}, text()],
        "opened twice": [text(), {"tokens": [START, "8", "*"]}, {**sum_}, text()],
        "other marks inside": [text(), {"tokens": [START, "<|output_start|>", "1", CLOSE]}, text()],
        "closed at once": [text(), {"tokens": [START, CLOSE]}, text(), sum_],
        "told of an output": [text(), {"tokens": ["<|output_start|>", "9", "<|output_end|>"]}, text(), sum_],
        "ended by bos": [text(), call(), text()],
    }
    for name, parts in rows.items():
        end = "<|bos|>" if name == "ended by bos" else END
        names = [pair for part in parts for pair in tokens_of_part(part)]
        rows[name] = [["3", False], *(list(pair) for pair in names), [end, False]]
    return {"ids": draw_ids(rng), "rows": rows, "together": rng.sample(sorted(rows), 4)}


def tokens_of_part(part):
    """(token's name, is it forced?) of each."""
    if "tokens" in part:
        return [(name, False) for name in part["tokens"]]
    return list(tokens_of({"parts": [part], "end": END}))[:-1]


def measure(inputs):
    """The tokens of every row and their masks: one by one, four together, and cut off everywhere."""
    rows = inputs["rows"]
    single = {name: generate(inputs, [row]) for name, row in rows.items()}
    together = generate(inputs, [rows[name] for name in inputs["together"]])
    last = rows["two calls"]
    cut = {str(most): generate(inputs, [last, rows["at once"]], most) for most in range(4, len(last), 3)}
    return {"one by one": single, "together": together, "cut off": cut}


def generate(inputs, rows, most=None):
    from nanochat.engine import Engine

    ids = inputs["ids"]
    tokenizer = CharacterTokenizer(ids)
    # Where something is forced the model wants to end its turn, or to say something else.
    wishes = (END, "q", START, "<|bos|>", CLOSE)
    scripts = [
        [ids[wishes[(n + number) % 5] if forced else name] for n, (name, forced) in enumerate(row)]
        for number, row in enumerate(rows)
    ]
    model = ScriptedModel(scripts, max(ids.values()) + 1, [ids[END]])
    engine = Engine(model, tokenizer)
    options = {"num_samples": len(rows), "max_tokens": most, "temperature": 0.0}
    columns = list(islice(engine.generate([ids["p"]], **options), 80))
    names = {number: name for name, number in ids.items()}
    read = [
        " ".join(names[token] for token in given[: len(row) - 1])
        for given, row in zip(model.given, rows, strict=True)
    ]
    model.restart()
    texts, masks = engine.generate_batch([ids["p"]], **options) if len(columns) < 80 else ([], [])
    return {
        "tokens": [" ".join(names[int(token)] for token in row) for row in turned(one for one, _ in columns)],
        "masks": ["".join(str(int(mask)) for mask in row) for row in turned(one for _, one in columns)],
        "read": read,
        "batch": [" ".join(names[int(token)] for token in text) for text in texts],
        "masks of the batch": ["".join(str(int(mask)) for mask in one) for one in masks],
    }


def turned(columns):
    """Columns as rows."""
    return list(zip(*columns, strict=True))
