"""The tokenizer: what the published package of the same name offers, with a progress callback and threads."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from rustbpe import native
from rustbpe.patterns import splitter

# GPT-4's split pattern.
DEFAULT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
    r"|\s*[\r\n]|\s+(?!\S)|\s+"
)

Progress = Callable[[str, int, int | None], object]

# Characters gathered before they are handed over, however few documents that is.
_BATCH_CHARACTERS = 1 << 20

_BYTES = [bytes([byte]) for byte in range(256)]


class Tokenizer:
    """A byte-level BPE tokenizer: 256 tokens for the bytes, then one for each merge.

    Of pairs that are equally frequent, training merges the one whose first token has the smallest id, and of
    those the one whose second has. The result depends on nothing but the text, the pattern and the size.
    """

    __slots__ = ("_encoder", "_pattern", "_tokens")

    def __init__(self) -> None:
        self._pattern = ""
        self._tokens = list(_BYTES)
        self._encoder: native.Encoder | None = None

    def train_from_iterator(
        self,
        iterator: Iterable[str],
        vocab_size: int,
        buffer_size: int = 8192,
        pattern: str | None = None,
        *,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Find the merges of a vocabulary of `vocab_size` tokens (fewer if the text has no more pairs).

        `iterator` is consumed as a stream, at most `buffer_size` documents ahead. `pattern` cuts documents
        into the chunks that no merge crosses; the default is GPT-4's. `threads` defaults to the cores this
        process may use. `progress(stage, done, total)` is called with stage "count" (bytes of text, total
        None) and then "merge" (merges, total the number wanted). Until training has succeeded, the tokenizer
        stays as it was.

        Raises ValueError for a vocab_size below 256, a buffer_size or threads below 1, or a pattern that is
        no regular expression; UnicodeEncodeError for a lone surrogate; TypeError for a document that is no
        string; and whatever the iterator or `progress` raises.
        """
        vocab_size = native.in_range("vocab_size", vocab_size, 256)
        buffer_size = native.in_range("buffer_size", buffer_size, 1)
        threads = _thread_count(threads)
        pattern = DEFAULT_PATTERN if pattern is None else pattern
        split = splitter(pattern)
        report = progress or _silent
        batches = _batches(iter(iterator), buffer_size)
        with native.Trainer(pattern, threads) as trainer:
            counted = 0
            words: Counter[str] = Counter()
            for batch in batches:
                if split is None:
                    counted += trainer.feed([document.encode() for document in batch])
                else:
                    for document in batch:
                        counted += len(document.encode())
                        words.update(split(document))
                report("count", counted, None)
            if split is not None:
                trainer.add_chunks([word.encode() for word in words], list(words.values()))
                words.clear()
            wanted = vocab_size - 256
            for found in trainer.merge(vocab_size):
                report("merge", found, wanted)
            encoder = trainer.encoder()
        tokens = list(_BYTES)
        for left, right in encoder.merges():
            tokens.append(tokens[left] + tokens[right])
        self._pattern, self._tokens, self._encoder = pattern, tokens, encoder

    def get_pattern(self) -> str:
        """The split pattern; empty before training."""
        return self._pattern

    @property
    def vocab_size(self) -> int:
        """256, and the number of merges."""
        return len(self._tokens)

    def get_mergeable_ranks(self) -> list[tuple[bytes, int]]:
        """Each token's bytes and its id, by id."""
        return [(token, rank) for rank, token in enumerate(self._tokens)]

    def encode(self, text: str) -> list[int]:
        """The token ids of a text."""
        if not isinstance(text, str):
            raise TypeError(f"argument 'text': expected str, not {type(text).__name__}")
        return self._encode([text], 1)[0]

    def batch_encode(self, texts: Sequence[str], *, threads: int | None = None) -> list[list[int]]:
        """The token ids of each text, encoded on `threads` threads (the cores this process may use)."""
        if isinstance(texts, str) or not isinstance(texts, Sequence):
            raise TypeError(f"argument 'texts': expected a sequence of str, not {type(texts).__name__}")
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"argument 'texts': expected str, not {type(text).__name__}")
        return self._encode(texts, _thread_count(threads))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids: ValueError for an unknown one, UnicodeDecodeError where the bytes are no UTF-8."""
        if isinstance(ids, str):
            raise TypeError("argument 'ids': expected token ids, not str")
        ids = list(ids)
        unknown = next((i for i in ids if not 0 <= i < len(self._tokens)), None)
        if unknown is not None:
            raise ValueError(f"Unknown token id: {unknown}")
        return b"".join(map(self._tokens.__getitem__, ids)).decode()

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle a Tokenizer: keep its pattern and mergeable ranks")

    def _encode(self, texts: Sequence[str], threads: int) -> list[list[int]]:
        if self._encoder is None:
            return [[] for _ in texts]
        documents = [text.encode() for text in texts]
        split = splitter(self._pattern)
        if split is None:
            return self._encoder.encode(documents, threads)
        return [self._encoder.encode_chunks([chunk.encode() for chunk in split(text)]) for text in texts]


def _batches(documents: Iterator[Any], size: int) -> Iterator[list[str]]:
    """Lists of at most `size` documents and, but for the last document, `_BATCH_CHARACTERS` characters."""
    batch: list[str] = []
    characters = 0
    for document in documents:
        if not isinstance(document, str):
            raise TypeError(f"expected documents of type str, not {type(document).__name__}")
        batch.append(document)
        characters += len(document)
        if len(batch) >= size or characters >= _BATCH_CHARACTERS:
            yield batch
            batch = []
            characters = 0
    if batch:
        yield batch


def _thread_count(threads: int | None) -> int:
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return native.in_range("threads", threads, 1)


def _silent(stage: str, done: int, total: int | None) -> None:
    pass
