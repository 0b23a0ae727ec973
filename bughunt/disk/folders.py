"""Copying and moving folders, also where a disk cannot rename them."""

from __future__ import annotations

import errno
from pathlib import Path

from bughunt.disk.files import PART, UNSUPPORTED, copy_atomically, copy_new, naming, remove_folder


def copy_folder(source: Path, target: Path) -> None:
    """Copies files, folders and links to the new folder `target`; sockets and pipes are passed over."""
    with naming(target):
        target.mkdir()
    for path in source.iterdir():
        if path.is_dir() and not path.is_symlink():
            copy_folder(path, target / path.name)
        elif path.is_file() or path.is_symlink():
            copy_new(path, target / path.name)


def move_folder(source: Path, target: Path, *, last: str) -> None:
    """Moves the folder `source` to `target`, where nothing is yet.

    Where a folder cannot be renamed it is copied, its file `last` after all others: without that one it is
    not to be taken for whole.
    """
    try:
        with naming(target):
            source.rename(target)
    except OSError as error:
        if error.errno not in UNSUPPORTED | {errno.EXDEV}:
            raise
        try:
            aside = source.with_name(f"{source.name}{PART}")
            with naming(target):
                (source / last).replace(aside)
            copy_folder(source, target)
            copy_atomically(aside, target / last)
        except BaseException:
            remove_folder(target)
            raise
        aside.unlink()
        remove_folder(source)
