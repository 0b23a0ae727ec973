"""A Python library of a few small files, for the tree to read in place of the installed one."""

from __future__ import annotations

import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from bughunt.lab.measuring.fresh import freshly_imported
from bughunt.lab.measuring.replacing import replaced

LETTERS = "abcdefghijklmnopqrstuvwxyz"

# Enough files for both splits, whichever rule divides them by their names.
FILES = 24


def draw_library(rng: Random, words: int = 250) -> dict[str, str]:
    """Files of words, as text by name. Most words come 5 or 6 times, others less often, or not as words.

    Among them are words of 2 to 13 letters, some in capitals, some as attributes, some as calls.
    """
    files: list[list[str]] = [[] for _ in range(FILES)]

    def put(text: str, times: int) -> None:
        for _ in range(times):
            rng.choice(files).append(text)

    for number in range(words):
        word = "".join(rng.choices(LETTERS, k=2 + number % 12))
        put(word, 5 + number % 2)
    for form in ("{}", ".{}", "{}(", "{}_", "{}7", "_{}"):
        for size in (3, 7, 12):
            put(form.format("".join(rng.choices(LETTERS, k=size))), 4 if form == "{}" else 6)
    put("Capital", 6)
    return {f"part{number:02}.py": "\n".join(lines) + "\n" for number, lines in enumerate(files)}


@contextmanager
def small_library(files: Mapping[str, str], *modules: str) -> Iterator[Path]:
    """In the block the standard library's sources seem to be these files, and `modules` are imported anew.

    Yields their folder. So nothing that the tree remembers of a library it has read comes in or stays behind.
    """
    own = sysconfig.get_path
    folder = Path(tempfile.mkdtemp())
    with freshly_imported(*modules):
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

        def get_path(name: str, *arguments: Any, **options: Any) -> str:
            return str(folder) if name == "stdlib" else own(name, *arguments, **options)

        with replaced(sysconfig, get_path=get_path):
            yield folder
