"""A conversation's tokens, and which of them are targets."""

from bughunt.lab.measuring import conversations
from bughunt.views import Table, Text, Tokens


def view(inputs, measured):
    vocabulary = inputs["vocabulary"]

    def shown(token):
        return vocabulary[token].strip() or "\\n" if token >= 0 else str(token)

    talks = [conversations.render(talk, vocabulary)[0] for talk in inputs["conversations"]]
    tool = vocabulary.index("<|python_start|>")
    order = sorted(range(len(talks)), key=lambda i: (tool not in talks[i], len(talks[i])))
    for index in order[:2]:
        x, y = measured["batches"][0][index]["inputs"][0], measured["batches"][0][index]["targets"][0]
        tokens = [*x, talks[index][-1]]
        yield Tokens(
            f"Conversation {index + 1} of the data set",
            [shown(token) for token in tokens],
            [False, *(target != -1 for target in y)],
            "the loss is taken on this token",
        )
    batch = measured["batches"][3][0]
    counted = []
    for row, (x, y) in enumerate(zip(batch["inputs"], batch["targets"], strict=True)):
        length = len(talks[row % len(talks)]) - 1
        trained = [shown(token) for token in y if token != -1]
        counted.append((row, length, len(x) - length, len(trained), " ".join(trained[:3])))
    yield Table(
        ("row", "positions", "padding", "targets", "the first of them"),
        counted,
        title=f"A batch of {len(batch['inputs'])} conversations",
    )
    yield Text("The words are made up: only who says them matters.", "dim")
