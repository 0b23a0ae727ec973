"""Saves tokenizers, loads them again, and tries to load damaged ones."""

import base64
import json
from pathlib import Path

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.damaged_tokenizers import DAMAGES, MERGES, SETTINGS, damaged_copy
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment
from bughunt.lab.measuring.specials import SPECIAL_TOKENS


def draw(rng):
    """Texts to train on and to encode, and special tokens and a pattern that are not the usual ones."""
    word = texts.word(rng)
    return {
        "corpus": [texts.sentence(rng, 30) for _ in range(3)],
        "texts": [texts.sentence(rng, 5), f"{word} 12345 <|bos|>\n\n", f"{word}'s"],
        "special": [f"<|{word}|>", f"<|{texts.word(rng)}2|>", "Ω"],
    }


@own_folder()
def measure(inputs):
    """`loaded`: what tokenizers do that were saved and loaded. `files`: what was written, and what was left
    alone. `refused`: which damage is noticed. `the saved one`: from the base folder.
    """
    from nanochat.tokenizer import RustBPETokenizer, get_tokenizer

    load = RustBPETokenizer.from_directory
    first = RustBPETokenizer.train_from_iterator(inputs["corpus"], 256 + 25 + len(SPECIAL_TOKENS))
    ranks = {bytes([255 - byte]): byte for byte in range(256)} | {b"12": 256, b"34": 257, b"345": 258}
    other = RustBPETokenizer(ranks, r"\p{N}+|\s|[^\s\p{N}]+", inputs["special"])
    folder, base = Path("deep") / "er", Path("base")
    first.save(str(folder))
    # One who reads the old file while it is saved over goes on reading the old one.
    reader = (folder / MERGES).open("rb")
    measured = {
        "files": {"first": _files(folder)},
        "loaded": {"first": _behaviour(load(str(folder)), inputs)},
    }
    other.save(folder)
    with reader:
        measured["files"]["other"] = _files(folder) | {"kept": reader.read().decode()}
    measured["loaded"]["other"] = _behaviour(load(folder), inputs)
    load(folder).save(base / "tokenizer")
    measured["files"]["saved again"] = _files(base / "tokenizer") == _files(folder)
    with environment(NANOCHAT_BASE_DIR=str(base)):
        measured["the saved one"] = _behaviour(get_tokenizer(), inputs)
    with environment(NANOCHAT_BASE_DIR="empty"):
        measured["none saved"] = refusal(get_tokenizer)
    Path("file").write_text("in the way")
    measured["refused"] = {
        "saving into a file": refusal(first.save, "file"),
        "loading a file": refusal(load, "file"),
        "loading nothing": refusal(load, "nowhere"),
        "an undamaged copy": refusal(load, damaged_copy(folder, "an undamaged copy")),
        **{name: refusal(load, damaged_copy(folder, name)) for name in DAMAGES},
    }
    return measured


def _behaviour(tokenizer, inputs):
    special = sorted(tokenizer.get_special_tokens())
    return {
        "size": tokenizer.get_vocab_size(),
        "special": {token: tokenizer.encode_special(token) for token in special},
        "ids": tokenizer.encode(inputs["texts"]),
        "back": [tokenizer.decode(tokenizer.encode(text)) for text in inputs["texts"]],
    }


def _files(folder):
    """Names, what the settings list, and tokens in the order of their lines."""
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    lines = [line.split() for line in (folder / MERGES).read_text().splitlines()]
    return {
        "names": sorted(path.name for path in folder.iterdir()),
        "special": settings["special_tokens"],
        "tokens": [[base64.b64decode(token).hex(), int(rank)] for token, rank in lines],
    }
