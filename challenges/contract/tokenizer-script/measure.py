"""Trains the tokenizer as `python -m scripts.tok_train` does, on a small library in place of Python's own."""

import re
from contextlib import redirect_stdout
from dataclasses import fields
from io import StringIO
from types import SimpleNamespace

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.absent_modules import absent
from bughunt.lab.measuring.figures import says_all_done, says_number
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.programs import run_program
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment
from bughunt.lab.measuring.small_library import small_library

KNOWN = ("vocab_size", "max_chars", "max_doc_chars", "eval_chars", "data_dir")

# A tokenizer that decodes every text to the same one.
FORGETFUL = SimpleNamespace(encode=lambda texts: [[1] for _ in texts], decode=lambda row: "a")


def draw(rng):
    """Files of sentences, and how much of them to read: parts of documents, and of the last one."""
    files = {f"part{i:02}.py": texts.sentence(rng, rng.randint(20, 40)) + "\n" for i in range(40)}
    longest = rng.randint(60, 90)
    return {
        "files": files,
        "longest": longest,
        "train": 4 * longest + rng.randint(5, 50),
        "eval": 2 * longest + rng.randint(5, 50),
        "documents": [texts.sentence(rng, 4), "日本語 Ωμέγα", ""],
    }


@own_folder()
def measure(inputs):
    """`texts`: what is read, by split and limit. `saved`: the tokenizer that is left in the base folder.
    `shown`: which figures are printed. `settings`: defaults, and which are refused.
    """
    script = ("scripts.tok_train",)
    with (
        environment(NANOCHAT_BASE_DIR="base", NANOCHAT_DATA_DIR=None, RANK=None),
        small_library(inputs["files"], *script),
    ):
        from nanochat.tokenizer import RustBPETokenizer, get_tokenizer
        from scripts import tok_train

        options = {
            "vocab_size": 300,
            "max_chars": inputs["train"],
            "max_doc_chars": inputs["longest"],
            "eval_chars": inputs["eval"],
        }
        settings = tok_train.Settings(**options)
        read = {
            f"{split}, {limit}": list(tok_train.texts(settings, split, limit))
            for split in ("train", "val")
            for limit in (1, inputs["longest"], inputs["longest"] + 1, inputs["train"], 10**6)
        }
        printed = StringIO()
        with redirect_stdout(printed):
            tok_train.main([f"--{name.replace('_', '-')}={value}" for name, value in options.items()])
            merged = says_all_done(printed.getvalue())
            lines = [line for line in printed.getvalue().splitlines() if "/s" not in line]
            exit_status = run_program("scripts.tok_train", "--vocab-size", "5000", "--max-chars", "90")
            small = get_tokenizer()
            tok_train.main([f"--{name}={value}" for name, value in options.items()])
            again = tok_train.train(settings)
        saved = get_tokenizer()
        trained = RustBPETokenizer.train_from_iterator(read[f"train, {inputs['train']}"], 300)
        shown = {}
        for split in ("train", "val"):
            documents = list(tok_train.texts(settings, split, inputs["eval"]))
            shown[split] = says_number(printed.getvalue(), tok_train.compression(saved, documents))
        shown["characters"] = f"{inputs['train']:,}" in printed.getvalue()
        shown |= _plausible(printed.getvalue())
        shown["a size that is reached, again"] = sum("300" in line for line in lines) > 1
        shown["sizes"] = [str(one.get_vocab_size()) in printed.getvalue() for one in (small, saved)]
        return {
            "texts": read,
            "saved": {
                "as the texts say": _tokens(saved) == _tokens(trained),
                "by train itself": _tokens(saved) == _tokens(again),
                "tokens": _tokens(saved),
                "of little text": _tokens(small),
                "exit status": exit_status,
            },
            "shown": shown | {"all merges": merged, "too large a size": "5000" in printed.getvalue()},
            "compression": {
                "of documents": tok_train.compression(saved, inputs["documents"]),
                "of nothing": tok_train.compression(saved, []),
                "of one token": tok_train.compression(saved, ["a"]),
                "of a tokenizer that loses text": refusal(tok_train.compression, FORGETFUL, ["ab", "a"]),
            },
            "settings": _settings(tok_train),
            "a folder without data": _no_data(tok_train),
        }


def _plausible(text):
    """Whether shares are of a whole, and what was waited for was a while of this test."""
    shares = [float(number) for number in re.findall(r"(-?[\d.]+)%", text)]
    seconds = re.findall(r"(-?\d+\.\d+) s\b", text)
    return {
        "shares are of a whole": all(0 <= share <= 100 for share in shares),
        "seconds are of this test": all("-" not in one and float(one) < 600 for one in seconds),
    }


def _no_data(tok_train):
    # The folder is refused with or without pyarrow; without, it need not be imported.
    with absent("pyarrow"):
        return refusal(list, tok_train.texts(tok_train.Settings(data_dir="nothing"), "train", 9))


def _tokens(tokenizer):
    return [tokenizer.id_to_token(number) for number in range(256, tokenizer.get_vocab_size())]


def _settings(tok_train):
    defaults = {field.name: field.default for field in fields(tok_train.Settings) if field.name in KNOWN}
    least = {"vocab_size": 265, "max_chars": 1, "max_doc_chars": 1, "eval_chars": 1}
    return {
        "defaults": defaults,
        "least": refusal(tok_train.Settings, **least),
        "less": {
            name: refusal(tok_train.Settings, **{**least, name: value - 1}) for name, value in least.items()
        },
    }
