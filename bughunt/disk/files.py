"""Small file operations that survive a kill at any instant, also on disks that cannot do all that others can.

An error names the file that was being written, and never the one it was copied from, unless that could not be
read.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from bughunt.disk.kinds import MisplacedError, open_own

# What a system says that cannot do a thing here at all, as opposed to not now.
UNSUPPORTED = frozenset(
    {errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM}
)

# Ends the name of a file that is being written; one that was left behind by a kill is nobody's.
PART = ".bughunt-part"

_CHUNK = 1 << 20


def write_atomically(path: Path, data: bytes, mode: int | None = None) -> None:
    """Writes `data` so that a reader (or a crash) sees the old contents or the new, never a mixture."""
    with _replacing(path, mode, durable=True) as file, naming(path):
        file.write(data)


def copy_atomically(source: Path, target: Path, *, durable: bool = True) -> None:
    """Puts a copy of the file (or link) `source` at `target`, making the folders it needs.

    Without `durable` it may be lost with the power until `bughunt.disk.durable` has seen to it.
    """
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            _replace_by_link(target, source.readlink())
            return
    with os.fdopen(open_own(source), "rb") as original:
        mode = stat.S_IMODE(os.fstat(original.fileno()).st_mode)
        with _replacing(target, mode, durable=durable) as file:
            _copy_bytes(original, file, target)
            _copy_attributes(original, file)


def copy_new(source: Path, target: Path, *, with_mode: bool = True) -> None:
    """Copies the file (or link) `source` to `target`, where nothing is yet and nobody looks too early."""
    if source.is_symlink():
        with naming(target):
            target.symlink_to(source.readlink())
        return
    with os.fdopen(open_own(source), "rb") as original:
        with naming(target):
            file = target.open("xb")
        try:
            _copy_bytes(original, file, target)
            _copy_attributes(original, file)
        finally:
            with naming(target):
                file.close()
        if with_mode:
            change_mode(target, stat.S_IMODE(os.fstat(original.fileno()).st_mode))


def remove_folder(folder: Path) -> None:
    """Removes a folder whatever lies in it, as far as its owner lets us; never raises.

    What is deep down is moved up first: folders a thousand deep are too much for `shutil.rmtree`. Of a link,
    the link alone goes.
    """
    if folder.is_symlink():
        with suppress(OSError):
            folder.unlink()
        return
    with suppress(OSError):
        number = 0
        while inner := [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]:
            for index, entry in enumerate(inner):
                change_mode(Path(entry.path), 0o700)
                for child in list(os.scandir(entry.path)):
                    if child.is_dir(follow_symlinks=False):
                        change_mode(Path(child.path), 0o700)
                        Path(child.path).rename(folder / f"{number}.{index}.{child.name[:40]}")
                    else:
                        Path(child.path).unlink()
                Path(entry.path).rmdir()
            number += 1
    shutil.rmtree(folder, ignore_errors=True)


def same_contents(one: Path | None, other: Path | None) -> bool:
    """Are these the same file contents, or the same link, or both nothing?"""
    if one is None or other is None:
        return one is other
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def change_mode(path: Path, mode: int) -> None:
    """Sets the permissions where the disk has any: some network and foreign disks have none, and refuse."""
    with suppress(OSError):
        path.chmod(mode)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Has every error of the system in the block name `path`."""
    try:
        yield
    except OSError as error:
        if error.errno is None or isinstance(error, MisplacedError):
            raise
        raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(path)) from error


def sync(descriptor: int) -> None:
    """Has the system write what it holds back, where it can be told to."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def sync_folder(folder: Path) -> None:
    """Makes renames in `folder` durable; not every platform opens folders."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _copy_bytes(original: IO[bytes], file: IO[bytes], target: Path) -> None:
    while chunk := original.read(_CHUNK):
        with naming(target):
            file.write(chunk)


def _copy_attributes(original: IO[bytes], file: IO[bytes]) -> None:
    """Copies what the owner of a file has noted beside its contents, where system and disk know of that."""
    if sys.platform == "linux":
        with suppress(OSError):
            for name in os.listxattr(original.fileno()):
                if name.startswith("user."):
                    os.setxattr(file.fileno(), name, os.getxattr(original.fileno(), name))


def _replace_by_link(path: Path, destination: Path) -> None:
    beside = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}{PART}")
    beside.symlink_to(destination)
    try:
        beside.replace(path)
    except BaseException:
        beside.unlink()
        raise


@contextmanager
def _replacing(path: Path, mode: int | None, *, durable: bool) -> Iterator[IO[bytes]]:
    with naming(path):
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=PART, dir=path.parent)
    file = os.fdopen(descriptor, "wb")
    try:
        yield file
        with naming(path):
            file.flush()
            if durable:
                sync(file.fileno())
            file.close()
            change_mode(Path(name), _usual_mode() if mode is None else mode)
            Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            Path(name).unlink()
        raise
    if durable:
        sync_folder(path.parent)


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
