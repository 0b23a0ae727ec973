"""Inputs beside targets, decoded, and how a tiny model's loss falls."""

from bughunt.views import Plot, Series, Table, Text


def view(inputs, measured):
    case, batch = inputs["cases"][0], measured["batches"][0]["cpu"][0]
    tokens = min(8, case["T"])
    rows = [
        ("inputs", *batch["inputs"][0][:tokens]),
        ("targets", *batch["targets"][0][:tokens]),
    ]
    yield Table(("", *(str(i) for i in range(tokens))), rows, title="The first row of a batch, as ids")
    demo = measured["demo"]
    if "error" in demo:
        yield Text(f"The real tokenizer's batches could not be loaded: {demo['error']}", "warn")
        return
    pairs = [(repr(x), repr(y)) for x, y in zip(demo["inputs"], demo["targets"], strict=True)]
    yield Table(("the model is given", "and should say"), pairs[:12], title="A row of real text, decoded")
    losses = demo["losses"]
    yield Plot(
        "A tiny model that sees one token and guesses its target",
        [Series("loss", list(range(1, len(losses) + 1)), losses)],
        x_label="step",
        y_label="cross-entropy, nats",
    )
    yield Text(f"It begins at {losses[0]:.2f} nats a token and ends at {losses[-1]:.2f}.")
