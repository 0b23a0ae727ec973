"""The documents to learn from, in groups, for training and for validation.

With nothing configured, the text that every Python installation has: the sources of its standard library and
the chapters of its language reference. With a data folder (`data_dir`, or $NANOCHAT_DATA_DIR), the Parquet
shards in it, such as FineWeb-Edu's: a document a row, in the column "text"; the last shard is for validation.

Nothing is downloaded, and no more than one group of documents is in memory at a time.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sysconfig
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from nanochat.common import UserError

GROUP_SIZE = 16  # documents in a group of the default corpus
VAL_ONE_IN = 10  # one file in so many of the default corpus is for validation

# A long file of the default corpus is several documents: one ends before a top-level statement that follows a
# blank line once it has MIN_CHARS characters, and after any line once it has MAX_CHARS.
MIN_CHARS = 4_000
MAX_CHARS = 16_000

# Folders and files of the standard library that hold test data, tables, or text written for one machine.
SKIPPED_FOLDERS = {
    "__phello__",
    "__pycache__",
    "dist-packages",
    "encodings",
    "idle_test",
    "lib2to3",
    "site-packages",
    "test",
    "tests",
}
SKIPPED_FILES = {"entities.py", "stringprep.py"}
SKIPPED_PREFIXES = ("_sysconfigdata", "_sysconfig_vars", "config-")

# The chapters of the language reference that `help()` shows, as one dictionary.
LANGUAGE_REFERENCE = "pydoc_data/topics.py"


class Groups(Protocol):
    """Groups of documents in an order that never changes. Each iteration starts at the first one again."""

    def __iter__(self) -> Iterator[list[str]]: ...


def document_groups(
    split: str, data_dir: str | Path | None = None, *, start: int = 0, step: int = 1
) -> Groups:
    """Groups `start`, `start + step`, `start + 2 * step`, ... of a split ("train" or "val").

    `data_dir` is a folder of Parquet shards, $NANOCHAT_DATA_DIR by default; with neither, it is the default
    corpus. Raises ValueError for an unknown split, and `UserError` where data is missing or cannot be read.
    """
    if split not in ("train", "val"):
        raise ValueError(f'split is {split!r}, but must be "train" or "val"')
    # shards, if a folder is configured
    data_dir = data_dir or os.environ.get("NANOCHAT_DATA_DIR")
    if data_dir:
        return ParquetGroups(Path(data_dir).expanduser(), split, start, step)
    # else the default corpus
    return PythonGroups(Path(sysconfig.get_path("stdlib")), split, start, step)


class PythonGroups:
    """The default corpus: the text of a Python installation, given the folder of its standard library.

    A hash of a file's path decides on its split and its place in the order, so machines with the same Python
    read the same documents in the same order, and no file is in both splits.
    """

    def __init__(self, stdlib: Path, split: str, start: int = 0, step: int = 1) -> None:
        self.stdlib = stdlib
        self.start = start
        self.step = step
        names = sorted(_source_files(stdlib), key=_stable_hash)
        self.names = [name for name in names if (_stable_hash(name) % VAL_ONE_IN == 0) == (split == "val")]
        if not self.names:
            raise UserError(
                f"there are no Python sources to learn from in {stdlib}: "
                "set NANOCHAT_DATA_DIR to a folder of Parquet shards"
            )

    def __iter__(self) -> Iterator[list[str]]:
        documents = self._documents()
        groups = iter(lambda: list(islice(documents, GROUP_SIZE)), [])
        return islice(groups, self.start, None, self.step)

    def _documents(self) -> Iterator[str]:
        for name in self.names:
            try:
                text = (self.stdlib / name).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            for whole in _language_reference(text) if name == LANGUAGE_REFERENCE else [text]:
                yield from split_text(whole)


class ParquetGroups:
    """The row groups of the Parquet shards in a folder: the last shard for validation, the rest to train."""

    def __init__(self, data_dir: Path, split: str, start: int = 0, step: int = 1) -> None:
        _import_parquet()
        shards = sorted(path for path in data_dir.glob("*.parquet") if path.is_file())
        if len(shards) < 2:
            found = "only one Parquet shard" if shards else "no Parquet shard (*.parquet)"
            raise UserError(
                f"there is {found} in {data_dir}: put two or more there, the last one for validation, "
                "or leave the data folder out to learn from Python's own sources"
            )
        self.shards = shards[-1:] if split == "val" else shards[:-1]
        self.start = start
        self.step = step

    def __iter__(self) -> Iterator[list[str]]:
        parquet = _import_parquet()
        first = 0  # this shard's first row group, counted over all shards
        for shard in self.shards:
            try:
                with parquet.ParquetFile(shard) as file:
                    if "text" not in file.schema_arrow.names:
                        raise UserError(f'{shard} has no column "text" to read documents from')
                    for i in range(file.num_row_groups):
                        if first + i >= self.start and (first + i - self.start) % self.step == 0:
                            column = file.read_row_group(i, columns=["text"]).column("text")
                            yield [text for text in column.to_pylist() if isinstance(text, str)]
                    first += file.num_row_groups
            except (OSError, ValueError) as error:  # pyarrow's own errors are of these two kinds
                raise UserError(
                    f"{shard} cannot be read as a Parquet file ({error}): remove it or fetch it again"
                ) from error


def split_text(text: str) -> Iterator[str]:
    """Cut a text between lines into documents of about MIN_CHARS to MAX_CHARS characters, losing nothing."""
    lines: list[str] = []
    size = 0
    for line in text.splitlines(keepends=True):
        at_statement = bool(lines) and not lines[-1].strip() and not line[0].isspace()
        if size >= MAX_CHARS or (size >= MIN_CHARS and at_statement):
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield "".join(lines)


def _source_files(stdlib: Path) -> Iterator[str]:
    """The Python files worth reading, as paths relative to the standard library, with forward slashes."""
    for folder, subfolders, files in os.walk(stdlib):
        subfolders[:] = [
            name
            for name in subfolders
            if name not in SKIPPED_FOLDERS and not name.startswith(SKIPPED_PREFIXES)
        ]
        for name in files:
            if name.endswith(".py") and name not in SKIPPED_FILES and not name.startswith(SKIPPED_PREFIXES):
                yield (Path(folder) / name).relative_to(stdlib).as_posix()


def _language_reference(source: str) -> list[str]:
    """The chapters in the source of `pydoc_data.topics`, read without running it."""
    try:
        statements = ast.parse(source).body
        dictionary = next(node.value for node in statements if isinstance(node, ast.Assign))
        return [chapter for chapter in ast.literal_eval(dictionary).values() if isinstance(chapter, str)]
    except (SyntaxError, ValueError, StopIteration, AttributeError):
        return []


def _stable_hash(name: str) -> int:
    """A number that depends on the name alone: the same in every process and on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _import_parquet() -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise UserError('reading Parquet shards needs pyarrow: run `pip install "pyarrow>=17"`') from error
    return parquet
