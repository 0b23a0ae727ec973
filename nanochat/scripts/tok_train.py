"""Train the tokenizer, report how well it compresses, and save it for the other scripts.

    python -m scripts.tok_train
    python -m scripts.tok_train --vocab-size 8192 --data-dir ~/fineweb-edu

The corpus is Python's own sources unless a folder of Parquet shards is given. Takes seconds on a laptop.
Pretraining comes next: `python -m scripts.base_train`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

from nanochat.common import Progress, UserError, get_base_dir, parse_settings, print0, run_script, setting
from nanochat.dataset import document_groups
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer


@dataclass
class Settings:
    """Train the tokenizer and save it in the base folder."""

    vocab_size: int = setting(4096, "number of token ids: bytes, merges and special tokens")
    max_chars: int = setting(2_000_000_000, "stop reading the training split after this many characters")
    max_doc_chars: int = setting(10_000, "read no more than this many characters of a document")
    eval_chars: int = setting(1_000_000, "measure the compression on this many characters of each split")
    data_dir: str | None = setting(None, "folder of Parquet shards, instead of $NANOCHAT_DATA_DIR")

    def __post_init__(self) -> None:
        smallest = 256 + len(SPECIAL_TOKENS)
        if self.vocab_size < smallest:
            raise ValueError(
                f"--vocab-size must be {smallest} or more: bytes and special tokens come to that"
            )
        if min(self.max_chars, self.max_doc_chars, self.eval_chars) < 1:
            raise ValueError("--max-chars, --max-doc-chars and --eval-chars must be 1 or more")


def texts(settings: Settings, split: str, max_chars: int) -> Iterator[str]:
    """Documents of a split, long ones cut, until `max_chars` characters are reached."""
    for text in chain.from_iterable(document_groups(split, settings.data_dir)):
        text = text[: min(settings.max_doc_chars, max_chars)]
        yield text
        max_chars -= len(text)
        if max_chars <= 0:
            return


def train(settings: Settings) -> RustBPETokenizer:
    """Train on the training split, showing how much has been read, then how many merges have been found.

    The merges show only with a trainer that reports them.
    """
    with ExitStack() as bars:
        merging: Progress | None = None

        def counted() -> Iterator[str]:
            with Progress(total=None, unit="characters", title="reading") as progress:
                for text in texts(settings, "train", settings.max_chars):
                    yield text
                    progress.update(len(text))

        def report(stage: str, done: int, total: int | None) -> None:
            nonlocal merging
            if stage != "merge":
                return
            if merging is None:
                merging = bars.enter_context(Progress(total=total, unit="merges", title="merging"))
            merging.update(done - merging.done)

        return RustBPETokenizer.train_from_iterator(counted(), settings.vocab_size, progress=report)


def compression(tokenizer: RustBPETokenizer, documents: list[str]) -> float:
    """Bytes of UTF-8 per token. Raises `UserError` if decoding does not give the documents back unchanged."""
    rows = tokenizer.encode(documents)
    if any(tokenizer.decode(row) != text for row, text in zip(rows, documents, strict=True)):
        raise UserError(
            "decoding does not give the text back: check that rustbpe and tiktoken are up to date"
        )
    num_bytes = sum(len(text.encode()) for text in documents)
    return num_bytes / max(1, sum(len(row) for row in rows))


def main(argv: Sequence[str] | None = None) -> None:
    settings = parse_settings(Settings, argv)
    tokenizer_dir = get_base_dir() / "tokenizer"

    # train and save
    started = time.monotonic()
    tokenizer = train(settings)
    seconds = time.monotonic() - started
    tokenizer.save(tokenizer_dir)

    # report
    size = tokenizer.get_vocab_size()
    print0(f"trained in {seconds:.1f} s: {size} ids, {len(SPECIAL_TOKENS)} of them special tokens")
    if size < settings.vocab_size:
        print0(f"(the text had too few pairs to merge for the {settings.vocab_size} that were asked for)")
    for split in ("train", "val"):
        ratio = compression(tokenizer, list(texts(settings, split, settings.eval_chars)))
        print0(f"{split:>5}: {ratio:.2f} bytes per token")
    print0(f"saved in {tokenizer_dir}")


if __name__ == "__main__":
    run_script(main)
