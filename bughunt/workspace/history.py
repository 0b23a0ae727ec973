"""A workspace's git folder: has its owner had a hand in it, and another in its place."""

from __future__ import annotations

from pathlib import Path

from bughunt.disk.files import copy_new, remove_folder
from bughunt.disk.folders import copy_folder, move_folder
from bughunt.disk.places import temporary_folder


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
    """Branches, commits, settings and hooks. Objects by name only."""
    if git is None or git.is_file():
        return {"": git.read_bytes() if git else b""}
    objects = {path.relative_to(git).as_posix(): b"" for path in git.glob("objects/*/*")}
    kept = [git / "HEAD", git / "config", git / "packed-refs", *git.glob("refs/**/*"), *git.glob("hooks/*")]
    return objects | {path.relative_to(git).as_posix(): path.read_bytes() for path in kept if path.is_file()}
