"""Trains tokenizers and looks at their vocabularies: sizes, merges, special tokens, bytes of each token."""

from pathlib import Path

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.absent_modules import absent
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.quiet_trainer import quiet_trainer
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment

# The bytes and the nine special tokens of a chat.
SMALLEST = 265


def draw(rng):
    """Text to train on, in which pairs of all kinds are frequent, and sizes to ask for."""
    word = texts.word(rng) + "in"
    corner = f"{word}'s 'S{word} 'S{word} {rng.randint(1000, 9999)} don't;;\r\n  {word}=={word}\n\n Ωμέγα"
    return {
        "corpus": [*[corner] * 3, *(texts.sentence(rng, 20) for _ in range(4))],
        "sizes": [SMALLEST, SMALLEST + 1, SMALLEST + rng.randint(30, 60)],
        "short": f"{word} {word}",
        "custom": [f"<|{texts.word(rng)}{number}|>" for number in range(2)],
    }


@own_folder()
def measure(inputs):
    """`trained`: for every size, from a list and a generator, what the vocabulary is. `special`, `custom`:
    ids and bytes with the usual special tokens and with others. `refused`: what cannot be trained or had.
    """
    from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer, get_token_bytes

    train = RustBPETokenizer.train_from_iterator
    calls = []
    largest = max(inputs["sizes"])
    trained = {str(size): _vocabulary(train(inputs["corpus"], size)) for size in inputs["sizes"]}
    trained["from a generator"] = _vocabulary(train((text for text in inputs["corpus"]), largest))
    trained["too little text"] = _vocabulary(train([inputs["short"]], 2000))
    trained["no text"] = _vocabulary(train([], 2000))
    trained["with progress"] = _vocabulary(
        train(inputs["corpus"], largest, lambda *arguments: calls.append(arguments))
    )
    with quiet_trainer():
        trained["with a trainer that reports nothing"] = _vocabulary(
            train(inputs["corpus"], largest, progress=lambda *_: None)
        )

    with absent("rustbpe"):
        untrained = refusal(train, inputs["corpus"], largest)
    tokenizer = train(inputs["corpus"], largest)
    merges = {bytes([byte]): byte for byte in range(256)} | {b"Sa": 256, b"ab": 257, b"sa": 258}
    custom = RustBPETokenizer(merges, r"\w|\W", inputs["custom"])
    usual = RustBPETokenizer(merges)
    tokenizer.save(Path("base") / "tokenizer")
    with environment(NANOCHAT_BASE_DIR="base"):
        saved = get_token_bytes()
    return {
        "trained": trained,
        "progress reported": bool(calls),
        "special": _special(tokenizer) | {"names": list(SPECIAL_TOKENS), "usual": _special(usual)},
        "custom": {
            "special": sorted(custom.get_special_tokens()),
            "ids": [custom.encode_special(token) for token in inputs["custom"]],
            "size": custom.get_vocab_size(),
            "split apart": custom.encode("ab ab"),
            "merged": usual.encode("ab Sab sab 12ab it'sab IT'Sab"),
            "bytes": _described(get_token_bytes(custom)),
        },
        "bytes": {
            "of one given": _described(get_token_bytes(tokenizer)),
            "of the saved one": _described(saved),
            "elsewhere": get_token_bytes(tokenizer, "meta").device.type,
        },
        "refused": {
            "too small": [refusal(train, inputs["corpus"], size) for size in (SMALLEST - 1, 256, 0, -1)],
            "no special token": [
                refusal(tokenizer.encode_special, text) for text in ("", "a", "bos", "<|no|>")
            ],
            "no bos": refusal(custom.get_bos_token_id),
            "no trainer": untrained,
        },
    }


def _vocabulary(tokenizer):
    size = tokenizer.get_vocab_size()
    return {"size": size, "tokens": [tokenizer.id_to_token(number) for number in range(256, size)]}


def _special(tokenizer):
    tokens = sorted(tokenizer.get_special_tokens())
    return {
        "a set": tokenizer.get_special_tokens() == set(tokens),
        "ids": {token: tokenizer.encode_special(token) for token in tokens},
        "bos": tokenizer.get_bos_token_id(),
        "decoded": tokenizer.decode([tokenizer.encode_special(token) for token in tokens]),
    }


def _described(tensor):
    return {"dtype": str(tensor.dtype), "device": tensor.device.type, "lengths": tensor.tolist()}
