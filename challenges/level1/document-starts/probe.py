"""The first ids of encoded rows."""

from bughunt.views import Table, Text


def view(inputs, measured):
    found = measured["merges"]
    names = {number: token for token, number in found["special_ids"].items()}

    def begin(ids):
        return " ".join(str(number) for number in ids[:6]) + (" …" if len(ids) > 6 else "")

    rows = []
    for call, answer in zip(inputs["calls"], found["calls"], strict=True):
        batch = isinstance(call["text"], list)
        texts, ids = (call["text"], answer["ids"]) if batch else ([call["text"]], [answer["ids"]])
        if not texts:
            continue
        prepend = call["prepend"]
        number = found["special_ids"].get(prepend, prepend)
        rows.append(
            (
                f"list of {len(texts)}" if batch else "one text",
                "-" if prepend is None else f"{prepend} = {number}" if number != prepend else prepend,
                "\n".join(begin(row) for row in ids[:2]),
                "\n".join(
                    f"{row[0]} {names.get(row[0], '')}".strip() if row else "(empty)" for row in ids[:2]
                ),
            )
        )
    rows.sort(key=lambda row: (str(row[1]), row[0]))
    yield Table(
        ("encode", "prepend", "ids (two rows at most)", "first id"),
        rows,
        title=f"encode(text, prepend=…), vocabulary of {265 + inputs['merges']}",
    )
    yield Text(
        f"The ids of the special tokens: {', '.join(f'{token} {n}' for n, token in names.items())}.", "dim"
    )
