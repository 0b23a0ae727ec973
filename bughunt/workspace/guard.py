"""What is refused before a workspace is overwritten: what leads out of it, and what no rescue can hold."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from bughunt.disk.kinds import kind_of
from bughunt.errors import BughuntError

_KEPT_ASIDE = ("file", "link", "folder", None)


def expect_overwritable(workspace: Path, files: Collection[str], replaced: Collection[str] | None) -> None:
    """Raises BughuntError unless `files` of `workspace` can be overwritten, and brought back later.

    `replaced` are the names of the files and links that are kept aside and make way; None where just a part
    of the workspace is put back, and nothing makes way for it.
    """
    folders = {parent for file in files for parent in Path(file).parents[:-1]}
    for folder in sorted(folders):
        path, kind = workspace / folder, kind_of(workspace / folder)
        if kind in ("link", "file") and replaced is None:
            raise BughuntError(
                f"{path} is a {kind} now, not a folder: a part of the workspace cannot be put back.",
                "Run `bughunt reset` to put back all of it; your edits are kept aside.",
            )
        if kind not in ("folder", None) and folder.as_posix() not in (replaced or ()):
            raise _refused(path, kind)
    for file in sorted(files):
        kind = kind_of(workspace / file)
        if kind not in _KEPT_ASIDE:
            raise _refused(workspace / file, kind)


def expect_own_history(git: Path) -> None:
    """Raises BughuntError where a git folder is elsewhere, or holds what cannot be kept aside."""
    kind = kind_of(git)
    if kind not in ("folder", "file", None):
        raise _refused(git, kind)
    for parent, _, names in os.walk(git):
        for path in (Path(parent, name) for name in names):
            # A socket there is that of a program that runs, and is made anew by the next.
            if (kind := kind_of(path)) in ("pipe", "device"):
                raise _refused(path, kind)


def expect_no_link_above(workspace: Path, file: str) -> None:
    """Raises BughuntError where writing `file` would lead out of the workspace."""
    for folder in Path(file).parents[:-1]:
        if kind_of(workspace / folder) == "link":
            raise _refused(workspace / folder, "link")


def _refused(path: Path, kind: str | None) -> BughuntError:
    why = "nothing is written through it" if kind == "link" else "it cannot be kept aside"
    return BughuntError(
        f"{path} is a {kind}, in the place of what is to be put back: {why}.", "Move it away, and try again."
    )
