"""What is put on disk, found out without waiting for the disk; and a kill in the middle of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bughunt.lab.measuring.replacing import replaced

# What puts a file on disk, where the system has it; and what says at opening that every write does.
_FLUSHES = [name for name in ("fsync", "fdatasync") if hasattr(os, name)]
_EVERY_WRITE = getattr(os, "O_SYNC", 0) | getattr(os, "O_DSYNC", 0)


class Killed(BaseException):
    """Stands for a kill: nothing of the program runs after it."""


@contextmanager
def flushes_noted() -> Iterator[set[int]]:
    """The inodes of all files and folders that are flushed in the block, or opened so that every write goes
    to the disk; nothing waits for the disk."""
    own_open, noted = os.open, set[int]()

    def flush(file: Any) -> None:
        noted.add(os.fstat(file).st_ino)

    def open_file(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
        descriptor = own_open(path, flags & ~_EVERY_WRITE, *arguments, **options)
        if flags & _EVERY_WRITE:
            flush(descriptor)
        return descriptor

    with replaced(os, open=open_file, **dict.fromkeys(_FLUSHES, flush)):
        yield noted


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """In the block the program dies when it writes, flushes, renames or makes a folder the next time after
    so many times."""
    import torch

    done = 0

    def killing(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            nonlocal done
            if done >= step:
                raise Killed
            done += 1
            return function(*arguments, **options)

        return wrapped

    places: list[tuple[Any, str]] = [(os, name) for name in (*_FLUSHES, "rename", "replace", "mkdir")]
    places += [(Path, "write_text"), (Path, "write_bytes"), (torch, "save")]
    saved = [(owner, name, getattr(owner, name)) for owner, name in places]
    try:
        for owner, name, function in saved:
            setattr(owner, name, killing(function))
        yield
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)
