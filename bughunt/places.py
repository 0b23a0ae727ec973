"""What is said of a place (a folder, a disk) that cannot be used, and the temporary folder."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bughunt.errors import BughuntError
from bughunt.files import UNSUPPORTED, remove_folder

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MAYBE_GONE = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns an error of the system into one for the player; one that names no file is about `folder`."""
    try:
        yield
    except OSError as error:
        raise unusable(folder, error) from error


def unusable(folder: Path, error: OSError) -> BughuntError:
    """What to say of `error`: which place is meant, what is wrong with it, and what to do."""
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else folder
    code = error.errno
    if code in _FULL:
        why = _why_full(path, code)
        return BughuntError(f"bughunt cannot write {path}: {why}.", f"Free some space there{_or_move(path)}.")
    if code == errno.EROFS:
        return BughuntError(
            f"bughunt cannot write {path}: that disk can only be read.", f"Make it writable{_or_move(path)}."
        )
    if code in (errno.EACCES, errno.EPERM):
        step = f"Check the permissions there{_or_move(path)}."
    elif code in UNSUPPORTED:
        step = f"Run `bughunt doctor` to see what this disk cannot do{_or_move(path)}."
    elif code in _MAYBE_GONE:
        step = f"Is the disk still connected? Look to it{_or_move(path)}."
    else:
        step = f"Run `bughunt doctor` to have it looked into{_or_move(path)}."
    return BughuntError(f"bughunt cannot use {path}: {error.strerror or error}.", step)


def free_space(path: Path) -> int | None:
    """Bytes free on the disk of `path` (which need not exist yet); None if nobody knows."""
    for folder in (path, *path.absolute().parents):
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def in_words(size: int) -> str:
    """A number of bytes as people say it."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


@contextmanager
def temporary_folder(beside: Path | None = None) -> Iterator[Path]:
    """A folder for the block alone: in `beside`, or where the system keeps what is temporary."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="bughunt-", dir=beside))
    except OSError as error:
        if beside is not None:
            raise unusable(beside, error) from error
        if error.errno == errno.ENOENT:
            raise BughuntError(
                "There is no temporary folder that bughunt can write to.",
                "Set TMPDIR to a folder that you can write to, on a disk with space.",
            ) from error
        raise unusable(Path(tempfile.gettempdir()), error) from error
    try:
        yield folder
    finally:
        remove_folder(folder)


def _why_full(path: Path, code: int) -> str:
    free = free_space(path)
    left = "" if free is None else f" ({in_words(free)} free)"
    if code == errno.EDQUOT:
        return f"your share of that disk is used up{left}"
    if free is not None and free > 1 << 20:
        return f"that disk has no room for more files{left}"
    return f"that disk is full{left}"


def _or_move(path: Path) -> str:
    if tempfile.tempdir is not None and path.is_relative_to(tempfile.tempdir):
        return ", or set TMPDIR to a folder on another disk"
    return ", or start the hunt in another folder"
