"""What encode makes of a few texts, with and without a token asked for in front."""

from bughunt.views import Table, Text


def view(inputs, measured):
    found = measured["merges"]
    names = {number: token for token, number in found["special_ids"].items()}
    rows = []
    for call, answer in chosen(inputs["calls"], found["calls"]):
        batch = isinstance(call["text"], list)
        texts, ids = (call["text"], answer["ids"]) if batch else ([call["text"]], [answer["ids"]])
        if not isinstance(ids, list):
            ids = [ids] * len(texts)
        prepend = call["prepend"]
        number = found["special_ids"].get(prepend, prepend)
        rows.append(
            (
                "\n".join(cut(text) for text in texts[:2]) + ("\n…" if len(texts) > 2 else ""),
                "a list" if batch else "one text",
                "-" if prepend is None else f"{prepend} = {number}" if number != prepend else prepend,
                "\n".join(first_ids(row, names) for row in ids[:2]),
            )
        )
    yield Table(("text", "given as", "prepend", "first ids"), rows, title="encode(text, prepend=…)")
    yield Text(
        f"The ids of the special tokens: {', '.join(f'{token} {n}' for n, token in names.items())}.", "dim"
    )


def chosen(calls, answers):
    """For each kind of `prepend` one text and one list, of those with nothing behind."""
    kinds = {}
    for call, answer in zip(calls, answers, strict=True):
        prepend, text = call["prepend"], call["text"]
        if call["append"] is None and text and (isinstance(text, str) or all(text[:2])):
            asked = str(prepend) if prepend in (None, "<|bos|>") else type(prepend).__name__
            kinds.setdefault((asked, isinstance(text, list)), (call, answer))
    order = [(asked, batch) for asked in ("None", "<|bos|>", "str", "int") for batch in (False, True)]
    return [kinds[kind] for kind in order if kind in kinds]


def cut(text):
    shown = ascii(text) if not text.isprintable() else repr(text)
    return shown if len(shown) <= 18 else f"{shown[:17]}…"


def first_ids(row, names):
    if not isinstance(row, list):
        return f"({row['type']})" if isinstance(row, dict) else str(row)
    shown = [
        f"{number} {names[number]}" if isinstance(number, int) and number in names else str(number)
        for number in row[:3]
    ]
    return "  ".join(shown) + (" …" if len(row) > 3 else "") if row else "(none)"
