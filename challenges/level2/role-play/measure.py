"""Draws batches of conversations as fine-tuning does, and lets it take a step on some.

The workspace renders the conversations. The steps are on conversations that are rendered already, for a model
so small that their loss can be known.
"""

from contextlib import nullcontext
from itertools import islice

from bughunt.lab.measuring import conversations, tiny_tuning
from bughunt.lab.measuring.devices import unmixed
from bughunt.lab.measuring.weights import draw_weights

# What the tree's tokenizer cuts a conversation to where nobody says otherwise.
MAX_TOKENS = 2048


def draw(rng):
    """A vocabulary, conversations of one to five turns over it, and the batches to ask for.

    The assistant says the token of id 0 somewhere. `long` is a data set of its own, one of whose two
    conversations is cut short in the middle of an answer. One case is that of a later one of several ranks,
    and one has as many rows as the default recipe has, where torch keeps no gradients. In `tuned`, `steps`
    are the ways to split one step of training on the conversations of a tiny model.
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
        {"batch_size": 16, "batches": 3, "options": {}, "gradients": False},
    ]
    return {
        "vocabulary": vocabulary,
        "conversations": talks,
        "long": long,
        "max_tokens": MAX_TOKENS,
        "cases": cases,
        "tuned": _draw_tuned(rng),
    }


def _draw_tuned(rng):
    """Conversations of which each is as long as it happens to be, and so is what is trained of it."""
    vocabulary, count = rng.randint(8, 12), 8
    rendered = []
    for _ in range(count):
        length = rng.randint(4, 9)
        mask = [0, 1, *(rng.randint(0, 1) for _ in range(length - 2))]
        rendered.append([[rng.randrange(vocabulary) for _ in range(length)], mask])
    return {
        "weights": draw_weights(rng, 1, 4, vocabulary, attention=False),
        "layers": 1,
        "T": 16,
        "rendered": rendered,
        "steps": [
            {"device_batch_size": count, "total_batch_size": count},
            {"device_batch_size": rng.choice([1, 2]), "total_batch_size": count},
            {"device_batch_size": 2, "total_batch_size": count, "stripes": 2},
            {"device_batch_size": 1, "total_batch_size": count, "processes": 2},
        ],
    }


def measure(inputs):
    """`batches`: for every case inputs and targets, their dtypes, and where another device's are. `rendered`:
    what the tokenizer makes of every conversation. `tuned`: the steps of training, see `_tune`."""
    from scripts.chat_sft import sft_data_generator

    tokenizer = _tokenizer(inputs)
    measured = []
    for case in inputs["cases"]:
        dataset = _Dataset(inputs[case.get("data", "conversations")])
        batches = sft_data_generator(dataset, tokenizer, case["batch_size"], **case["options"])
        # All at once, as an optimizer step draws its micro-batches: one must not become the next.
        with _gradients(case):
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
    talks = [*inputs["conversations"], *inputs["long"]]
    return {
        "batches": measured,
        "rendered": [[list(part) for part in tokenizer.render_conversation(talk)] for talk in talks],
        "tuned": [_tune(inputs["tuned"], step) for step in inputs["tuned"]["steps"]],
    }


def _gradients(case):
    import torch

    return nullcontext() if case.get("gradients", True) else torch.no_grad()


def _tune(case, step):
    """A step's reported loss and number of targets, the gradients of all but the attention, which is silent,
    and the validation loss on the same conversations with the same weights."""
    settings = {key: value for key, value in step.items() if key != "processes"}
    settings |= {"eval_every": 1, "eval_conversations": len(case["rendered"])}
    found = tiny_tuning.tune_on_conversations(
        {**case, "processes": step.get("processes", 1)}, case["rendered"], **settings
    )
    gradients = found["steps"][0]["gradients"]
    return {
        "loss": found["losses"][0],
        "targets": found["targets"][0],
        "validation": found["validation"][0],
        "gradients": {name: gradient for name, gradient in gradients.items() if ".attn." not in name},
    }


def _elsewhere(generator, dataset, tokenizer, case):
    """Where inputs and targets are that were asked for on another device, for which "meta" stands.

    A string says that tensors of two devices were mixed. None: what "meta" has no numbers for cannot be told.
    """
    try:
        with unmixed():
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
    """The tree's tokenizer with the vocabulary of the inputs."""
    from nanochat.tokenizer import RustBPETokenizer

    vocabulary = inputs["vocabulary"]
    merges = {
        token.encode("latin-1" if len(token) == 1 else "utf-8"): number
        for number, token in enumerate(vocabulary)
        if token not in conversations.SPECIAL_TOKENS
    }
    return RustBPETokenizer(merges)
