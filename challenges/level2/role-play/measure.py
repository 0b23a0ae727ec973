"""Draws batches of conversations as fine-tuning does, and notes inputs and targets."""

from itertools import islice

from bughunt.lab import conversations


def draw(rng):
    """A vocabulary, conversations of one to five turns over it, and the batches to ask for."""
    vocabulary = conversations.draw_vocabulary(rng)
    turns = [
        2,
        2,
        4,
        rng.randint(2, 5),
        rng.choice([1, 3]),
        *(rng.randint(2, 4) for _ in range(rng.randint(0, 3))),
    ]
    rng.shuffle(turns)
    talks = []
    # Some of them call a tool, and some have a system message.
    while not all(word in str(talks) for word in ("python_output", "system")):
        talks = [conversations.draw_conversation(rng, vocabulary, count) for count in turns]
    cases = [
        {"batch_size": 1, "batches": len(talks) + 1, "options": {}},
        {"batch_size": 2, "batches": 3, "options": {}},
        {"batch_size": rng.randint(3, 5), "batches": 2, "options": {}},
        {"batch_size": len(talks) + rng.randint(1, 3), "batches": 1, "options": {}},
        {"batch_size": 2, "batches": 2, "options": {"rank": rng.randrange(2), "world_size": 2}},
        {"batch_size": 3, "batches": 1, "options": {"skip_batches": rng.randint(1, 3)}},
    ]
    return {"vocabulary": vocabulary, "conversations": talks, "cases": cases}


def measure(inputs):
    """For every case its batches: inputs, targets, and the targets' dtype."""
    from scripts.chat_sft import sft_data_generator

    tokenizer = _tokenizer(inputs)
    measured = []
    for case in inputs["cases"]:
        batches = sft_data_generator(
            inputs["conversations"], tokenizer, case["batch_size"], device="cpu", **case["options"]
        )
        measured.append(
            [
                {"inputs": x.tolist(), "targets": y.tolist(), "dtype": str(y.dtype).removeprefix("torch.")}
                for x, y in islice(batches, case["batches"])
            ]
        )
    return measured


def _tokenizer(inputs):
    """The tree's tokenizer with the judge's vocabulary; what is rendered and masked is the judge's, too."""
    from nanochat.tokenizer import RustBPETokenizer

    vocabulary = inputs["vocabulary"]
    merges = {
        token.encode("latin-1" if len(token) == 1 else "utf-8"): number
        for number, token in enumerate(vocabulary)
        if token not in conversations.SPECIAL_TOKENS
    }
    tokenizer = RustBPETokenizer(merges)

    def render_conversation(conversation, max_tokens=2048):
        ids, mask = conversations.render(conversation, vocabulary)
        return ids[:max_tokens], mask[:max_tokens]

    tokenizer.render_conversation = render_conversation
    return tokenizer
