"""One measurement of bench_rustbpe.py, in the environment of what is measured; prints JSON.

    python rustbpe_worker.py NAME train|train-streaming|encode CORPUS VOCAB_SIZE THREADS RANKS

Training by ours leaves its ranks in the file RANKS, for tiktoken to encode with.
"""

import hashlib
import json
import os
import re
import resource
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import rustbpe_corpus

PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+"
)
BATCH = 1024


def train_rustbpe(documents: Iterable[str], vocab_size: int, **settings: int) -> object:
    """A trained tokenizer of whichever rustbpe is installed."""
    import rustbpe

    tokenizer = rustbpe.Tokenizer()
    tokenizer.train_from_iterator(documents, vocab_size, pattern=PATTERN, **settings)
    return tokenizer


def train_tokenizers(documents: Iterable[str], vocab_size: int) -> object:
    """A trained tokenizer of Hugging Face's tokenizers, with the same pattern over bytes."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=0,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
    )
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def train(
    name: str, documents: Iterable[str], vocab_size: int, threads: int, ranks: Path
) -> tuple[float, object]:
    """Seconds, and the vocabulary found."""
    start = time.perf_counter()
    if name == "tokenizers":
        tokenizer = train_tokenizers(documents, vocab_size)
        return time.perf_counter() - start, tokenizer.get_vocab()
    tokenizer = train_rustbpe(documents, vocab_size, **({"threads": threads} if name == "ours" else {}))
    seconds = time.perf_counter() - start
    found = tokenizer.get_mergeable_ranks()
    if name == "ours":
        ranks.write_text(json.dumps([(token.hex(), rank) for token, rank in found]))
    return seconds, found


def encode(name: str, texts: list[str], vocab_size: int, threads: int, ranks: Path) -> tuple[float, object]:
    """Seconds, and the ids of every text, encoded in batches."""
    if name == "ours":
        tokenizer = train_rustbpe(texts, vocab_size)

        def encode_batch(batch: list[str]) -> list[list[int]]:
            return tokenizer.batch_encode(batch, threads=threads)

    else:
        import tiktoken

        merges = {bytes.fromhex(token): rank for token, rank in json.loads(ranks.read_text())}
        encoding = tiktoken.Encoding("bench", pat_str=PATTERN, mergeable_ranks=merges, special_tokens={})

        def encode_batch(batch: list[str]) -> list[list[int]]:
            if threads == 1:
                return list(map(encoding.encode_ordinary, batch))
            return encoding.encode_ordinary_batch(batch, num_threads=threads)

    encode_batch(texts[:BATCH])
    start = time.perf_counter()
    ids = [row for at in range(0, len(texts), BATCH) for row in encode_batch(texts[at : at + BATCH])]
    return time.perf_counter() - start, ids


def peak_memory() -> int:
    """Bytes of memory this process has held at most."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count what the parent held when it started this process.
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    name, task = sys.argv[1:3]
    corpus, ranks = Path(sys.argv[3]), Path(sys.argv[6])
    vocab_size, threads = int(sys.argv[4]), int(sys.argv[5])
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    documents = rustbpe_corpus.read(corpus)
    if task == "encode":
        seconds, result = encode(name, list(documents), vocab_size, threads, ranks)
    elif task == "train":
        seconds, result = train(name, list(documents), vocab_size, threads, ranks)
    else:
        seconds, result = train(name, documents, vocab_size, threads, ranks)
    digest = hashlib.sha256(repr(result).encode()).hexdigest()
    print(json.dumps({"seconds": seconds, "peak": peak_memory(), "digest": digest}))


if __name__ == "__main__":
    main()
