"""What is put on disk, found out without waiting for the disk; and a kill in the middle of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Killed(BaseException):
    """Stands for a kill: nothing of the program runs after it."""


@contextmanager
def flushes_noted() -> Iterator[set[int]]:
    """The inodes of all files and folders that are flushed in the block; no flush waits for the disk."""
    own, noted = os.fsync, set[int]()

    def fsync(fd: Any) -> None:
        noted.add(os.fstat(fd).st_ino)

    os.fsync = fsync
    try:
        yield noted
    finally:
        os.fsync = own


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

    places: list[tuple[Any, str]] = [(os, name) for name in ("fsync", "rename", "replace", "mkdir")]
    places += [(Path, "write_text"), (Path, "write_bytes"), (torch, "save")]
    saved = [(owner, name, getattr(owner, name)) for owner, name in places]
    try:
        for owner, name, function in saved:
            setattr(owner, name, killing(function))
        yield
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)
