"""What is said of a place (a folder, a disk) that cannot be used, and the temporary folder."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bughunt.disk.files import remove_folder
from bughunt.disk.kinds import MisplacedError
from bughunt.errors import BughuntError

# Begins the names of the game's own temporary folders.
PREFIX = "bughunt-"

_FULL = (errno.ENOSPC, errno.EDQUOT)
# What a system says where something may be read and not written.
NOT_WRITABLE = (*_FULL, errno.EROFS, errno.EACCES, errno.EPERM)
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
    if isinstance(error, MisplacedError):
        return BughuntError(
            f"{path} is a {error.found}, and bughunt keeps a {error.wanted} of its own there.",
            f"Put a {error.wanted} in its place, or move it away, and try again.",
        )
    if code in _FULL:
        step = "Free some space there"
    elif code == errno.EROFS:
        step = "Make that disk writable"
    elif code in (errno.EACCES, errno.EPERM):
        step = "Check the permissions there"
    elif code in _MAYBE_GONE:
        step = "See whether that disk is still connected"
    else:
        step = "Run `bughunt doctor` to have it looked into"
    doing = "write" if code in (*_FULL, errno.EROFS) else "use"
    return BughuntError(
        f"bughunt cannot {doing} {path}: {reason(path, error)}.", f"{step}, or {_move_from(path)}."
    )


def reason(path: Path, error: OSError) -> str:
    """Why `path` cannot be used: of a full disk, how much space there is."""
    if error.errno == errno.EROFS:
        return "that disk can only be read"
    if error.errno not in _FULL:
        return error.strerror or str(error)
    free = free_space(path)
    left = "" if free is None else f" ({in_words(free)} free)"
    if error.errno == errno.EDQUOT:
        return f"your share of that disk is used up{left}"
    if free is not None and free > 1 << 20:
        return f"that disk has no room for more files{left}"
    return f"that disk is full{left}"


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
    folder = make_temporary_folder(beside)
    try:
        yield folder
    finally:
        remove_folder(folder)


def make_temporary_folder(beside: Path | None = None) -> Path:
    """A new folder in `beside`, or where the system keeps what is temporary. Raises BughuntError."""
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
    except OSError as error:
        if beside is not None:
            raise unusable(beside, error) from error
        if error.errno == errno.ENOENT:
            raise BughuntError(
                "There is no temporary folder that bughunt can write to.",
                "Set TMPDIR to a folder that you can write to, on a disk with space.",
            ) from error
        raise unusable(Path(tempfile.gettempdir()), error) from error


def _move_from(path: Path) -> str:
    temporary = tempfile.tempdir
    if temporary is not None and path != Path(temporary) and path.is_relative_to(temporary):
        ours = path.relative_to(temporary).parts[0].startswith(PREFIX)
    else:
        ours = str(path) == temporary
    if ours:
        return "set TMPDIR to a folder on another disk"
    return "start the hunt in another folder"
