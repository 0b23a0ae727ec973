"""What stands at a path: found out without following it, and without waiting for whoever is behind it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Literal

Kind = Literal["file", "folder", "link", "pipe", "socket", "device"]

_KINDS: dict[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}

# Neither through a link, nor waiting for the other end of a pipe, where the system knows of these.
_CAREFULLY = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class MisplacedError(OSError):
    """At `filename` there is something of the kind `found`, where the game keeps a `wanted` of its own."""

    def __init__(self, path: Path, found: Kind, wanted: Kind) -> None:
        super().__init__(errno.EEXIST, f"it is a {found}, not a {wanted}", str(path))
        self.found = found
        self.wanted = wanted


def kind_of(path: Path) -> Kind | None:
    """What is at `path` itself; None where there is nothing, or no way to it."""
    try:
        return _kind(path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return None


def expect(path: Path, wanted: Kind) -> None:
    """Raises MisplacedError where something else is at `path` than `wanted`, or than nothing."""
    found = kind_of(path)
    if found not in (None, wanted):
        raise MisplacedError(path, found, wanted)


def open_own(path: Path, flags: int = os.O_RDONLY, mode: int = 0o666) -> int:
    """Opens a file of the game's own, and gives its descriptor. Raises MisplacedError for anything else."""
    try:
        descriptor = os.open(path, flags | _CAREFULLY, mode)
    except OSError:
        expect(path, "file")
        raise
    found = _kind(os.fstat(descriptor))
    if found != "file":
        os.close(descriptor)
        raise MisplacedError(path, found, "file")
    return descriptor


def read_own(path: Path) -> bytes:
    """The contents of a file of the game's own."""
    with os.fdopen(open_own(path), "rb") as file:
        return file.read()


def _kind(status: os.stat_result) -> Kind:
    return _KINDS.get(stat.S_IFMT(status.st_mode), "device")
