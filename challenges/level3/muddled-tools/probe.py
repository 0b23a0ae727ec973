"""The tokens around calls of the calculator, with those marked that the model did not say itself."""

from bughunt.views import Table, Text, Tokens


def view(inputs, measured):
    names = {number: name for name, number in inputs["ids"].items()}
    yield Text(
        "The model is scripted: it is known beforehand what it says, calls of the calculator among it. What "
        "it did not say itself has the mask 0: the engine put it there."
    )
    for found in measured["cases"][:2]:
        rows = list(zip(*found["columns"], strict=True))
        masks = list(zip(*found["column_masks"], strict=True))
        for number, (row, mask) in enumerate(zip(rows, masks, strict=True)):
            # A row that has ended waits for the others.
            size = next((n + 1 for n, token in enumerate(row) if names[token] in ENDS), len(row))
            yield Tokens(
                f"Row {number} of {len(rows)}",
                [names[token] for token in row[:size]],
                [not one for one in mask[:size]],
                "put there by the engine",
            )
    rows = []
    for case, found in zip(inputs["cases"], measured["cases"], strict=True):
        for number, plan in enumerate(case["plans"]):
            calls = [part for part in plan["parts"] if "call" in part]
            forced = [
                names[row[number]]
                for row, mask in zip(found["columns"], found["column_masks"], strict=True)
                if not mask[number]
            ]
            rows.append(
                (
                    number,
                    "; ".join(shown(part["call"]) for part in calls) or "-",
                    "".join(forced).replace("<|assistant_end|>", "") or "-",
                )
            )
    yield Table(("row", "calls", "put there by the engine"), rows[:7], title="Calls and answers")


ENDS = ("<|assistant_end|>", "<|bos|>")


def shown(call):
    return repr(call) if len(call) < 24 else repr(call[:10] + "…" + call[-12:])
