"""What fine-tuning is given: conversations as rows of inputs and targets, in every process and again."""

END = 211


def draw(rng):
    """Conversations of several lengths, one with a tool call; rows to be rendered that are only ids."""
    words = [rng.choice(["tea", "and", "milk", "or", "ham", "oh", "I"]) for _ in range(12)]
    conversations = [
        [("user", "hi"), ("assistant", words[0])],
        [("user", " ".join(words[:4])), ("assistant", " ".join(words[4:6]))],
        [("user", "x"), ("assistant", words[7]), ("user", words[8]), ("assistant", words[9])],
        [("system", "be"), ("user", words[10]), ("assistant", "yes")],
    ]
    messages = [
        [{"role": role, "content": content} for role, content in conversation]
        for conversation in conversations
    ]
    messages[1][-1]["content"] = [
        {"type": "text", "text": words[11]},
        {"type": "python", "text": "6*7"},
        {"type": "python_output", "text": "42"},
        {"type": "text", "text": "so"},
    ]
    rows = []
    for length in [2, 7, 3, 5, 4, *(rng.randint(2, 8) for _ in range(2))]:
        ids = [rng.randrange(200) for _ in range(length)]
        ids[(length - 1) // 2] = 0
        ids[-1] = END
        rows.append([ids, [0, *(rng.choice([0, 1]) for _ in range(length - 2)), 1]])
    rows[1][1][:3] = [1, 1, 0]
    return {"conversations": [{"messages": one} for one in messages], "rows": rows}


def measure(inputs):
    """Batches of several sizes, from the first on and from later ones, alone and as one of several; the
    conversations as the workspace's own tokenizer renders them; numbers of targets."""
    from bughunt.lab.measuring.ranks import one_of
    from bughunt.lab.measuring.watched_training import byte_tokenizer

    rows, tokenizer = inputs["rows"], _Rendered()
    found = {
        "one by one": _batches(rows, tokenizer, 1, 8),
        "by three": _batches(rows, tokenizer, 3, 4),
        "more than there are": _batches(rows, tokenizer, 9, 2),
        "from the second on": _batches(rows, tokenizer, 3, 2, skip_batches=1),
        "process 0 of 2": _batches(rows, tokenizer, 2, 4, rank=0, world_size=2),
        "process 1 of 2": _batches(rows, tokenizer, 2, 4, rank=1, world_size=2),
        "process 2 of 3, later": _batches(rows, tokenizer, 2, 2, rank=2, world_size=3, skip_batches=2),
        "all that is said": _batches(inputs["conversations"], byte_tokenizer(), 4, 1),
        "one after the other": _batches(inputs["conversations"], byte_tokenizer(), 1, 2),
    }
    for rank in (0, 1):
        with one_of(2, rank):
            found[f"by default as process {rank} of 2"] = _batches(rows, tokenizer, 2, 2)
            found[f"process {rank} by default"] = _batches(rows, tokenizer, 1, 2, world_size=3)
            found[f"as process {1 - rank} of 2 by default"] = _batches(rows, tokenizer, 1, 2, rank=1 - rank)
    return {"batches": found, "on another device": _on_meta(rows), "targets": _counts(inputs)}


class _Rendered:
    """A conversation is what it is rendered to."""

    def render_conversation(self, conversation, max_tokens=2048):
        ids, mask = conversation
        return list(ids), list(mask)

    def encode_special(self, text):
        return {"<|assistant_end|>": END}.get(text, 219)


def _batches(dataset, tokenizer, size, count, **options):
    from itertools import islice

    from scripts.chat_sft import sft_data_generator

    batches = list(islice(sft_data_generator(dataset, tokenizer, size, **options), count))
    return [
        {
            "inputs": inputs.tolist(),
            "targets": targets.tolist(),
            "kinds": [str(inputs.dtype), str(targets.dtype)],
        }
        for inputs, targets in batches
    ]


def _on_meta(rows):
    from scripts.chat_sft import sft_data_generator

    try:
        batch = next(sft_data_generator(rows, _Rendered(), 2, "meta"))
    except NotImplementedError:  # the mask has no numbers there to choose targets by
        return ["meta", "meta"]
    return [tensor.device.type for tensor in batch]


def _counts(inputs):
    """Targets in one batch and in several of other shapes."""
    import torch
    from scripts.chat_sft import count_targets

    batches = []
    for ids, _ in inputs["rows"]:
        targets = torch.tensor([ids, [-1] * len(ids)])
        batches.append((torch.zeros_like(targets), targets))
    alone = [count_targets(batches[:1]), count_targets(batches), count_targets(batches[2:4] * 2)]
    long = torch.zeros(1, 1003)  # a number that takes more bits than the shortest floats have
    return {
        "alone": [float(count) for count in alone],
        "of a long one": float(count_targets([(long, long)])),
        "a float": bool(alone[0].is_floating_point()),
        "shape": list(alone[0].shape),
    }
