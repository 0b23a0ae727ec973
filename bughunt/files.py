"""Small file operations that survive a kill at any instant."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def write_atomically(path: Path, data: bytes, mode: int | None = None) -> None:
    """Writes `data` so that a reader (or a crash) sees the old contents or the new, never a mixture."""
    with _replacing(path, mode) as file:
        file.write(data)


def copy_atomically(source: Path, target: Path) -> None:
    """Puts a copy of the file (or link) `source` at `target`, making the folders it needs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.unlink(missing_ok=True)
        target.symlink_to(source.readlink())
        return
    with source.open("rb") as original, _replacing(target, source.stat().st_mode & 0o777) as file:
        shutil.copyfileobj(original, file, 1 << 20)


def copy_folder(source: Path, target: Path) -> None:
    """Copies files, folders and links to the new folder `target`; sockets and pipes are passed over."""

    def special(folder: str, names: list[str]) -> list[str]:
        paths = [Path(folder) / name for name in names]
        return [path.name for path in paths if not (path.is_symlink() or path.is_file() or path.is_dir())]

    shutil.copytree(source, target, symlinks=True, ignore=special)


def remove_folder(folder: Path) -> None:
    """Removes a folder whatever lies in it, as far as its owner lets us; never raises.

    What is deep down is moved up first: folders a thousand deep are too much for `shutil.rmtree`.
    """
    with suppress(OSError):
        for number in itertools.count():
            inner = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            if not inner:
                break
            for index, entry in enumerate(inner):
                Path(entry.path).chmod(0o700)
                for child in list(os.scandir(entry.path)):
                    if child.is_dir(follow_symlinks=False):
                        Path(child.path).chmod(0o700)
                        Path(child.path).rename(folder / f"{number}.{index}.{child.name[:100]}")
                    else:
                        Path(child.path).unlink()
                Path(entry.path).rmdir()
    shutil.rmtree(folder, ignore_errors=True)


def same_contents(one: Path | None, other: Path | None) -> bool:
    """Are these the same file contents, or the same link, or both nothing?"""
    if one is None or other is None:
        return one is other
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


@contextmanager
def _replacing(path: Path, mode: int | None) -> Iterator[IO[bytes]]:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is None:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # Makes the rename itself durable; not every platform opens folders.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
