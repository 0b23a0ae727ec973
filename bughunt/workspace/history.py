"""A workspace's git folder: has its owner had a hand in it, and another in its place.

It is read as files are: git itself, which does what settings and hooks of a repository say, is never asked.
"""

from __future__ import annotations

import os
from pathlib import Path

from bughunt.disk.files import copy_new, remove_folder
from bughunt.disk.folders import copy_folder, move_folder
from bughunt.disk.places import temporary_folder

_HEADER, _ENTRY, _STATUS, _MODE = 12, 62, 40, slice(24, 28)
_KNOWN_INDEX = (b"DIRC\0\0\0\2", b"DIRC\0\0\0\3")
_EXTENDED = 0x40


def same_history(one: Path | None, other: Path | None) -> bool:
    """Do these git folders (or files that point to one) hold the same of their owner's?"""
    return _owned(one) == _owned(other)


def copy_history(git: Path, target: Path) -> None:
    """Copies a git folder, or the file that stands for one."""
    (copy_folder if git.is_dir() else copy_new)(git, target)


def replace_history(git: Path, source: Path, scratch: Path) -> None:
    """Moves `source` to `git`; what was there goes (by way of `scratch`)."""
    with temporary_folder(scratch) as aside:
        if git.is_symlink() or git.is_file():
            git.unlink()
        elif git.is_dir():
            try:
                git.rename(aside / "old")
            except OSError:
                remove_folder(git)
        if source.is_dir():
            move_folder(source, git, last="HEAD")
        else:
            source.rename(git)


def _owned(git: Path | None) -> dict[str, bytes]:
    """All that is in it. Of objects, which are named by what they hold, the names are enough."""
    if git is None or git.is_file():
        return {"": git.read_bytes() if git else b""}
    found: dict[str, bytes] = {}
    for parent, folders, names in os.walk(git, onerror=_raise):
        for path in (Path(parent, name) for name in [*names, *folders]):
            relative = path.relative_to(git)
            if path.is_symlink():
                found[relative.as_posix()] = os.fsencode(path.readlink())
            elif path.is_file():
                read = b"" if "objects" in relative.parts else path.read_bytes()
                found[relative.as_posix()] = staged(read) if relative.name == "index" else read
    return found


def staged(index: bytes) -> bytes:
    """What an index says is staged, without what it remembers of the files: any command may renew that."""
    if not index.startswith(_KNOWN_INDEX):
        return index
    entries, at = [], _HEADER
    for _ in range(int.from_bytes(index[8:_HEADER])):
        head = index[at : at + _ENTRY]
        if len(head) < _ENTRY:
            return index
        name = at + _ENTRY + (2 if head[-2] & _EXTENDED else 0)
        end = index.find(b"\0", name)
        if end < 0:
            return index
        entries.append(head[_MODE] + index[at + _STATUS : end])
        # Each entry is filled up with zeros, one at least, to a multiple of eight bytes.
        at += (end - at) // 8 * 8 + 8
    return b"\0".join(entries)


def _raise(error: OSError) -> None:
    raise error
