"""Loads batches without saying of what, by what or for whom; a small library is in place of Python's own."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.absent_modules import absent
from bughunt.lab.measuring.configured import byte_tokenizer
from bughunt.lab.measuring.data_batches import load
from bughunt.lab.measuring.data_places import in_order, tokens_of
from bughunt.lab.measuring.own_folder import own_folder
from bughunt.lab.measuring.pools import largest_pool
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.replacing import environment
from bughunt.lab.measuring.small_library import FILES, small_library
from bughunt.lab.measuring.tokenizers import WordTokenizer

ALONE = {"RANK": None, "LOCAL_RANK": None, "WORLD_SIZE": None}
SECOND = {"RANK": "1", "LOCAL_RANK": "0", "WORLD_SIZE": "2"}
BATCHES = 12


def draw(rng):
    """Files of words that come once each, documents for a loader that is told no more than them, ids."""
    words = [f"w{number}" for number in range(8 * FILES)]
    ids = dict(zip(words, rng.sample(range(1, 9_000), len(words)), strict=True))
    files = {f"part{i:02}.py": " ".join(words[8 * i : 8 * i + rng.randint(3, 8)]) for i in range(FILES)}
    return {
        "files": files,
        "stream": {"ids": ids, "bos": 0, "documents": [[word] for word in words]},
        "text": texts.sentence(rng, 12),
    }


@own_folder()
def measure(inputs):
    """`corpus`: whether batches follow the default corpus, by split and rank. `tokenizer`: ids by the saved.
    `at a time`: the first words that the second of two ranks reads of many documents.
    """
    base = {"NANOCHAT_BASE_DIR": "base", "NANOCHAT_DATA_DIR": None}
    with environment(**base, **ALONE), small_library(inputs["files"]):
        return {
            "corpus": {
                "alone": {split: _corpus(inputs, split, {}, 0, 1) for split in ("train", "val")},
                "by torchrun": {"train": _corpus(inputs, "train", {}, 1, 2, SECOND)},
                "by arguments": {"train": _corpus(inputs, "train", {"rank": 1, "world_size": 2}, 1, 2)},
                "against torchrun": {
                    "the first": _corpus(inputs, "train", {"rank": 0}, 0, 2, SECOND),
                    "alone": _corpus(inputs, "train", {"rank": 0, "world_size": 1}, 0, 1, SECOND),
                },
            },
            "tokenizer": _tokenizer(inputs),
            "at a time": _at_a_time(inputs),
            "refused": {
                "no such split": _refusal(inputs, split="test"),
                "no documents for a rank": _refusal(inputs, split="val", rank=999, world_size=1000),
                "a folder without data": _configured(inputs),
            },
        }


def _loader(*arguments, **options):
    from nanochat.dataloader import tokenizing_distributed_data_loader

    return tokenizing_distributed_data_loader(*arguments, **options)


def _words(inputs):
    return WordTokenizer(inputs["stream"]["ids"], inputs["stream"]["bos"])


def _corpus(inputs, split, options, rank, world_size, variables=ALONE):
    from nanochat.dataset import document_groups

    stream = inputs["stream"]
    tokens = tokens_of(list(document_groups(split)), stream["ids"], stream["bos"], rank, world_size)
    T = len(tokens) // 5
    with environment(**variables):
        batches = _loader(1, T, split, tokenizer=_words(inputs), **options)
        found = [next(batches) for _ in range(BATCHES)]
    devices = sorted({x.device.type for x, _ in found})
    return in_order([x for x, _ in found], tokens * 4) | {"devices": devices}


def _tokenizer(inputs):
    """The texts of batches by the saved tokenizer and by another one, and what comes of there being none.

    What begins a document is left out of them.
    """
    from nanochat.tokenizer import RustBPETokenizer

    missing = refusal(lambda: next(_loader(1, 4, "train", documents=[inputs["text"]])))
    byte_tokenizer().save("base/tokenizer")
    other = RustBPETokenizer({bytes([255 - byte]): byte for byte in range(256)})
    documents, size = [inputs["text"]] * 12, len(inputs["text"].encode()) + 10

    def first(**options):
        x, _ = next(_loader(1, size, "train", documents=documents, **options))
        return [number for number in x.flatten().tolist() if number < 256][: size - 12]

    def more_threads_than(threads, **options):
        return largest_pool(lambda: first(**options)) > threads

    return {
        "missing": missing,
        "saved": first(),
        "given": first(tokenizer=other),
        "more threads than asked for": [
            more_threads_than(4),
            more_threads_than(1, tokenizer_threads=1),
            more_threads_than(3, tokenizer_threads=3),
        ],
    }


def _at_a_time(inputs):
    """Which of 320 documents of a word each the second of two ranks reads at first, and the last of them."""
    stream = inputs["stream"]
    plain = [document for group in stream["documents"] for document in group]
    places = {number: place for place, number in enumerate(stream["ids"].values())}
    batches = _loader(1, 300, "train", documents=plain, tokenizer=_words(inputs), rank=1, world_size=2)
    read = [places[number] for number in next(batches)[0].flatten().tolist() if number in places]
    return {"first": read[0], "last": max(read), "as the stream": load(stream, 1, 5, count=1)[0][0].tolist()}


def _refusal(inputs, split, **options):
    return refusal(lambda: next(_loader(1, 4, split, tokenizer=_words(inputs), **options)))


def _configured(inputs):
    # The folder is refused with or without pyarrow; without, it need not be imported.
    with environment(NANOCHAT_DATA_DIR="nothing"), absent("pyarrow"):
        return _refusal(inputs, "train")
