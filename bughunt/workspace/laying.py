"""Overwriting a workspace in place, file by file, with what it is going to be."""

from __future__ import annotations

import itertools
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from bughunt.disk.durable import make_durable
from bughunt.disk.files import copy_atomically, same_contents
from bughunt.errors import BughuntError
from bughunt.workspace.compare import differences
from bughunt.workspace.guard import expect_no_link_above
from bughunt.workspace.rescue import Rescue
from bughunt.workspace.scope import files_of, left_by_kills, source_files


def lay(
    wanted: dict[str, Path],
    workspace: Path,
    start: dict[str, Path],
    rescue: Rescue | None,
    only: Collection[str] | None,
) -> None:
    """Makes the source files of `workspace` (or just `only`) those of `wanted`.

    Overwrites nothing that is neither rescued nor as the level starts it.
    """
    present = source_files(workspace, start, also=wanted)
    safe = (start, files_of(rescue.saved) if rescue is not None else {})
    changes = [file for file in differences(wanted, present) if only is None or file in only]
    # What has to go goes first, so that a link in the place of a folder is never written through.
    left = set()
    for path in left_by_kills(workspace):
        path.unlink(missing_ok=True)
        left.add(path.parent)
    for file in (file for file in changes if file not in wanted):
        _expect_safe(workspace / file, file, safe)
        (workspace / file).unlink(missing_ok=True)
        left.add((workspace / file).parent)
    _drop_empty_folders(left, workspace)
    written = [file for file in changes if file in wanted]
    for file in written:
        target = workspace / file
        expect_no_link_above(workspace, file)
        _expect_safe(target, file, safe)
        if target.is_dir() and not target.is_symlink():
            # What is left in it is not for us to remove.
            target.rename(_unused_name(target))
        copy_atomically(wanted[file], target, durable=False)
    make_durable([workspace / file for file in written], workspace)


def _expect_safe(target: Path, file: str, safe: tuple[dict[str, Path], ...]) -> None:
    now = target if target.is_symlink() or target.is_file() else None
    if now is not None and not any(same_contents(now, files.get(file)) for files in safe):
        raise BughuntError(f"{target} was changed at this moment.", "Save your files and try again.")


def _drop_empty_folders(folders: Collection[Path], root: Path) -> None:
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        while folder != root and folder.is_dir() and not _holds_anything(folder):
            with suppress(OSError):
                folder.rmdir()
            folder = folder.parent


def _holds_anything(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entries)


def _unused_name(path: Path) -> Path:
    return next(name for n in itertools.count(1) if not (name := path.with_name(f"{path.name}.{n}")).exists())
