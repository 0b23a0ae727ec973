"""Draws batches of conversations as fine-tuning does, and notes inputs and targets."""

from itertools import islice

from bughunt.lab.measuring import conversations

# What the tree's tokenizer cuts a conversation to where nobody says otherwise.
MAX_TOKENS = 2048


def draw(rng):
    """A vocabulary, conversations of one to five turns over it, and the batches to ask for.

    The assistant says the token of id 0 somewhere. `long` is a data set of its own, one of whose two
    conversations is cut short in the middle of an answer. One case is that of a later one of several ranks.
    """
    vocabulary = conversations.draw_vocabulary(rng)
    turns = [
        2,
        2,
        4,
        rng.randint(2, 5),
        1,
        *(rng.randint(2, 4) for _ in range(rng.randint(0, 3))),
    ]
    rng.shuffle(turns)
    talks = []
    # Some of them call a tool, and some have a system message.
    while not all(word in str(talks) for word in ("python_output", "system")):
        talks = [conversations.draw_conversation(rng, vocabulary, count) for count in turns]
    said = {
        token
        for talk in talks
        for token, own in zip(*conversations.render(talk, vocabulary), strict=True)
        if own and vocabulary[token] not in conversations.SPECIAL_TOKENS
    }
    first = rng.choice(sorted(said))
    vocabulary[0], vocabulary[first] = vocabulary[first], vocabulary[0]
    long = [conversations.draw_long_conversation(rng, vocabulary, MAX_TOKENS), talks[0]]
    rng.shuffle(long)
    world_size = rng.randint(2, 3)
    later = {"rank": rng.randint(1, world_size - 1), "world_size": world_size}
    cases = [
        {"batch_size": 1, "batches": len(talks) + 1, "options": {}},
        {"batch_size": 2, "batches": 3, "options": {}},
        {"batch_size": rng.randint(3, 5), "batches": 2, "options": {}},
        {"batch_size": len(talks) + rng.randint(1, 3), "batches": 1, "options": {}},
        {"batch_size": 2, "batches": 2, "options": later},
        {"batch_size": 3, "batches": 1, "options": {"skip_batches": rng.randint(1, 3)}},
        {"batch_size": 2, "batches": 1, "options": {}, "data": "long"},
    ]
    return {
        "vocabulary": vocabulary,
        "conversations": talks,
        "long": long,
        "max_tokens": MAX_TOKENS,
        "cases": cases,
    }


def measure(inputs):
    """For every case its batches: inputs and targets, their dtypes, and where another device's are."""
    from scripts.chat_sft import sft_data_generator

    tokenizer = _tokenizer(inputs)
    measured = []
    for case in inputs["cases"]:
        dataset = _Dataset(inputs[case.get("data", "conversations")])
        batches = sft_data_generator(dataset, tokenizer, case["batch_size"], device="cpu", **case["options"])
        # All at once, as an optimizer step draws its micro-batches: one must not become the next.
        drawn = list(islice(batches, case["batches"]))
        elsewhere = _elsewhere(sft_data_generator, dataset, tokenizer, case)
        measured.append(
            [
                {
                    "inputs": x.tolist(),
                    "targets": y.tolist(),
                    "memory": x.data_ptr(),
                    "dtypes": [str(tensor.dtype).removeprefix("torch.") for tensor in (x, y)],
                    "elsewhere": elsewhere,
                }
                for x, y in drawn
            ]
        )
    return measured


def _elsewhere(generator, dataset, tokenizer, case):
    """Where inputs and targets are that were asked for on another device, for which "meta" stands.

    A string says that tensors of two devices were mixed. None: what "meta" has no numbers for cannot be told.
    """
    try:
        batch = next(generator(dataset, tokenizer, case["batch_size"], device="meta", **case["options"]))
    except Exception as error:
        return str(error).splitlines()[0] if "is not on the expected device" in str(error) else None
    return [tensor.device.type for tensor in batch]


class _Dataset:
    """Conversations by index, and nothing else that a list can do."""

    def __init__(self, talks):
        self._talks = talks

    def __len__(self):
        return len(self._talks)

    def __getitem__(self, index):
        if not 0 <= index < len(self._talks):
            raise IndexError(f"conversation {index} of {len(self._talks)}")
        return self._talks[index]


def _tokenizer(inputs):
    """The tree's tokenizer with the vocabulary of the inputs, and with the rendering that checks know."""
    from nanochat.tokenizer import RustBPETokenizer

    vocabulary = inputs["vocabulary"]
    merges = {
        token.encode("latin-1" if len(token) == 1 else "utf-8"): number
        for number, token in enumerate(vocabulary)
        if token not in conversations.SPECIAL_TOKENS
    }
    tokenizer = RustBPETokenizer(merges)

    def render_conversation(conversation, max_tokens=MAX_TOKENS):
        ids, mask = conversations.render(conversation, vocabulary)
        return ids[:max_tokens], mask[:max_tokens]

    tokenizer.render_conversation = render_conversation
    return tokenizer
