"""The player's own copy of the tree with a level's bugs in it: create, compare, reset, rescue, restore.

A workspace is only ever overwritten in place (a shell or an editor may have it open), file by file, and
only after a rescue of what differs has been completed.
"""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bughunt.casefile import case_file
from bughunt.catalog import Level, is_by_product
from bughunt.errors import BughuntError
from bughunt.files import copy_atomically, write_atomically
from bughunt.git import make_repository, require_git
from bughunt.injection import inject
from bughunt.rescue import Rescue, Rescues

_COMMIT = "The case of {}"


class Workspace:
    """The workspace of `level` at `path`.

    `mark` is a file that exists while the workspace is neither what it was nor what it is going to be;
    `scratch` is a folder on the same disk for what is being built.
    """

    def __init__(self, path: Path, level: Level, *, guided: bool, mark: Path, scratch: Path) -> None:
        self.path = path
        self.level = level
        self._guided = guided
        self._mark = mark
        self._scratch = scratch

    @property
    def interrupted(self) -> str | None:
        """What was overwriting the workspace and never finished, if anything."""
        try:
            return self._mark.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    @contextmanager
    def _overwriting(self, operation: str) -> Iterator[None]:
        write_atomically(self._mark, operation.encode())
        yield
        self._mark.unlink()

    def create(self) -> None:
        """Makes the workspace where nothing is yet: built aside, then moved into place whole."""
        require_git()
        with self._start() as start:
            make_repository(start, _COMMIT.format(self.level.id))
            try:
                start.rename(self.path)
            except OSError as error:
                raise BughuntError(
                    f"The workspace {self.path} cannot be made: {error.strerror}.",
                    "Start the hunt in a folder that you can write to.",
                ) from error

    def edits(self) -> list[str]:
        """The files (relative) that differ from the start of the level, added and deleted ones too."""
        with self._start() as start:
            return _differences(files_of(start), files_of(self.path))

    def diff(self) -> str:
        """The player's edits as a unified diff from the start of the level."""
        with self._start() as start:
            old, new = files_of(start), files_of(self.path)
            return "".join(_file_diff(file, old.get(file), new.get(file)) for file in _differences(old, new))

    def reset(
        self,
        rescues: Rescues,
        reason: str,
        progress: dict[str, Any],
        only: Collection[str] | None = None,
    ) -> Rescue | None:
        """Puts the workspace (or just the files `only`) back to the start of the level.

        What differs is rescued first, with `progress`; None when there was nothing to rescue. A whole reset
        also begins a new git history.
        """
        with self._start() as start:
            rescue = self._rescue(start, rescues, reason, progress, only)
            files = files_of(start)
            if only is None:
                make_repository(start, _COMMIT.format(self.level.id))
            with self._overwriting(reason):
                _lay(files, self.path, files, rescue, only)
                if only is None:
                    _replace_folder(start / ".git", self.path / ".git", self._scratch)
            return rescue

    def bring_back(self, rescues: Rescues, wanted: Rescue, progress: dict[str, Any]) -> Rescue | None:
        """Makes the rescued files (all of the workspace, for a whole rescue) what they were when it was made.

        What that overwrites is rescued itself; None when there was nothing to rescue.
        """
        with self._start() as start:
            only = None if wanted.whole else wanted.files
            rescue = self._rescue(start, rescues, f"before restoring {wanted.id}", progress, only)
            saved = files_of(wanted.saved)
            files = files_of(start)
            target = {file: path for file, path in files.items() if file not in wanted.files} | saved
            with self._overwriting(f"restore of {wanted.id}"):
                _lay(target, self.path, files, rescue, only)
                if wanted.history is not None:
                    copied = start.parent / "history"
                    shutil.copytree(wanted.history, copied, symlinks=True)
                    _replace_folder(copied, self.path / ".git", self._scratch)
            return rescue

    def _rescue(
        self,
        start: Path,
        rescues: Rescues,
        reason: str,
        progress: dict[str, Any],
        only: Collection[str] | None,
    ) -> Rescue | None:
        present = files_of(self.path)
        differing = [file for file in _differences(files_of(start), present) if only is None or file in only]
        history = self.path / ".git" if only is None and (self.path / ".git").is_dir() else None
        if not differing and not _has_own_history(history):
            return None
        return rescues.save(
            self.level.id,
            {file: present.get(file) for file in differing},
            reason=reason,
            whole=only is None,
            history=history,
            progress=progress,
        )

    @contextmanager
    def _start(self) -> Iterator[Path]:
        """The workspace as the level starts it, built in a temporary folder."""
        try:
            self._scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as folder:
                start = Path(folder) / "workspace"
                inject(start, self.level.bugs, guided=self._guided)
                (start / "CASE.md").write_text(case_file(self.level), encoding="utf-8")
                yield start
        except PermissionError as error:
            raise BughuntError(
                f"bughunt cannot write {error.filename}: {error.strerror}.", "Check the permissions."
            ) from error


def files_of(folder: Path) -> dict[str, Path]:
    """The files and links below `folder` that count: no git, no by-products, none of the player's tools."""
    found = {}
    for parent, folders, names in os.walk(folder):
        relative = Path(parent).relative_to(folder)
        top = relative == Path()
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in links
            and not (top and name.startswith("."))
            and not is_by_product((relative / name).as_posix())
            and not (Path(parent) / name / "pyvenv.cfg").exists()
        ]
        for name in [*names, *links]:
            path = Path(parent) / name
            if not is_by_product((relative / name).as_posix()) and (path.is_symlink() or path.is_file()):
                found[(relative / name).as_posix()] = path
    return found


def _differences(old: dict[str, Path], new: dict[str, Path]) -> list[str]:
    return sorted(file for file in old.keys() | new.keys() if not _same(old.get(file), new.get(file)))


def _same(one: Path | None, other: Path | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return one.read_bytes() == other.read_bytes()


def _file_diff(name: str, old: Path | None, new: Path | None) -> str:
    def lines(path: Path | None) -> list[str]:
        return _contents(path).decode(errors="replace").splitlines(keepends=True) if path else []

    before, after = (f"a/{name}" if old else os.devnull), (f"b/{name}" if new else os.devnull)
    if b"\0" in _contents(old) + _contents(new):
        return f"--- {before}\n+++ {after}\nBinary files differ.\n"
    found = difflib.unified_diff(lines(old), lines(new), before, after)
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in found
    )


def _contents(path: Path | None) -> bytes:
    if path is None:
        return b""
    return os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()


def _lay(
    wanted: dict[str, Path],
    workspace: Path,
    start: dict[str, Path],
    rescue: Rescue | None,
    only: Collection[str] | None,
) -> None:
    """Makes the files of `workspace` (or just `only`) those of `wanted`.

    Overwrites nothing that is neither rescued nor as the level starts it.
    """
    present = files_of(workspace)
    rescued = files_of(rescue.saved) if rescue is not None else {}
    changes = [file for file in _differences(wanted, present) if only is None or file in only]
    # What has to go goes first, so that a link in the place of a folder is never written through.
    for file in sorted(changes, key=lambda file: file in wanted):
        target = workspace / file
        if file in present and not any(_same(present[file], known.get(file)) for known in (start, rescued)):
            raise BughuntError(f"{target} was changed at this moment.", "Save your files and try again.")
        if file in wanted:
            copy_atomically(wanted[file], target)
        else:
            target.unlink(missing_ok=True)
            _drop_empty_folders(target.parent, workspace)


def _drop_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _replace_folder(source: Path, target: Path, scratch: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=scratch))
    if target.exists():
        target.rename(aside / "old")
    source.rename(target)
    shutil.rmtree(aside, ignore_errors=True)


def _has_own_history(git: Path | None) -> bool:
    """Has the player committed, branched or stashed? The repository starts as one branch of one commit."""
    if git is None:
        return False
    branches = [path for path in (git / "refs").rglob("*") if path.is_file()]
    log = git / "logs" / "HEAD"
    commits = len(log.read_bytes().splitlines()) if log.is_file() else 0
    return len(branches) != 1 or commits != 1 or (git / "packed-refs").exists()
