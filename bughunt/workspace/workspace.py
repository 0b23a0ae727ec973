"""The player's own copy of the tree with a level's bugs in it: create, compare, reset, rescue, restore.

A workspace is only ever overwritten in place (a shell or an editor may have it open), file by file, and
only after a rescue of what differs has been completed.
"""

from __future__ import annotations

import difflib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bughunt.content.catalog import Level, is_by_product
from bughunt.errors import BughuntError
from bughunt.files import copy_atomically, copy_folder, same_contents, write_atomically
from bughunt.workspace.casefile import case_file
from bughunt.workspace.git import make_repository, require_git
from bughunt.workspace.injection import inject
from bughunt.workspace.rescue import Rescue, Rescues

_COMMIT = "The case of {}"


@dataclass(frozen=True)
class Operation:
    """What overwrites a workspace: `name` says it (“reset of 1.2”), `command` does it again.

    `rescue` is the id of the rescue that was made for it.
    """

    name: str
    command: str
    rescue: str | None = None


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
    def interrupted(self) -> Operation | None:
        """What was overwriting the workspace and never finished, if anything."""
        try:
            return Operation(**json.loads(self._mark.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            return Operation("reset", "bughunt reset")

    @contextmanager
    def _overwriting(self, operation: Operation, rescue: Rescue | None) -> Iterator[None]:
        noted = replace(operation, rescue=rescue.id if rescue else None)
        write_atomically(self._mark, json.dumps(asdict(noted)).encode())
        yield
        self._mark.unlink()

    def create(self) -> None:
        """Makes the workspace where nothing is yet: built aside, then moved into place whole."""
        require_git()
        with self._start(self._scratch) as start:
            make_repository(start, _COMMIT.format(self.level.id))
            self._mark.unlink(missing_ok=True)
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
        operation: Operation,
        progress: dict[str, Any],
        only: Collection[str] | None = None,
    ) -> Rescue | None:
        """Puts the workspace (or just the files `only`) back to the start of the level.

        What differs is rescued first, with `progress`; None when there was nothing to rescue. A whole reset
        also begins a new git history.
        """
        with self._start(self._scratch) as start:
            make_repository(start, _COMMIT.format(self.level.id))
            rescue = self._rescue(start, rescues, operation, progress, only)
            files = files_of(start)
            with self._overwriting(operation, rescue):
                _lay(files, self.path, files, rescue, only)
                if only is None:
                    self._replace_history(start / ".git")
            return rescue

    def bring_back(
        self, rescues: Rescues, wanted: Rescue, operation: Operation, progress: dict[str, Any]
    ) -> Rescue | None:
        """Makes the rescued files (all of the workspace, for a whole rescue) what they were when it was made.

        What that overwrites is rescued itself; None when there was nothing to rescue.
        """
        with self._start(self._scratch) as start:
            make_repository(start, _COMMIT.format(self.level.id))
            only = None if wanted.whole else wanted.files
            rescue = self._rescue(start, rescues, operation, progress, only)
            with self._overwriting(operation, rescue):
                _lay(files_of(wanted.saved), self.path, files_of(start), rescue, only)
                if wanted.history is not None:
                    copied = start.parent / "history"
                    (copy_folder if wanted.history.is_dir() else copy_atomically)(wanted.history, copied)
                    self._replace_history(copied)
            return rescue

    def _rescue(
        self,
        start: Path,
        rescues: Rescues,
        operation: Operation,
        progress: dict[str, Any],
        only: Collection[str] | None,
    ) -> Rescue | None:
        """Saves what differs from `start`, a repository like the one that the workspace began as."""
        self._expect_folders(only or ())
        interrupted = self.interrupted
        if interrupted is not None and only is not None and interrupted.name != operation.name:
            raise cut_short(self.level, interrupted)
        present = files_of(self.path)
        differing = [file for file in _differences(files_of(start), present) if only is None or file in only]
        history = self.path / ".git" if only is None and (self.path / ".git").exists() else None
        if history is not None and _history(history) == _history(start / ".git"):
            history = None
        if not differing and history is None:
            return None
        for earlier in rescues.all() if interrupted is not None else ():
            if _holds(earlier, only, {file: present.get(file) for file in differing}, history):
                return earlier
        kept = present if only is None else {file: present[file] for file in differing if file in present}
        return rescues.save(
            self.level.id,
            kept,
            differing=differing,
            reason=operation.name,
            whole=only is None,
            history=history,
            progress=progress,
        )

    def _expect_folders(self, files: Collection[str]) -> None:
        """A part is put back where it was: never through a link, nor in the place of a file."""
        for file in files:
            for folder in Path(file).parents[:-1]:
                path = self.path / folder
                if path.is_symlink() or path.is_file():
                    kind = "link" if path.is_symlink() else "file"
                    raise BughuntError(
                        f"{path} is a {kind} now, not a folder: a part of the workspace cannot be put back.",
                        "Run `bughunt reset` to put back all of it; your edits are kept aside.",
                    )

    def _replace_history(self, source: Path) -> None:
        git = self.path / ".git"
        aside = Path(tempfile.mkdtemp(dir=self._scratch))
        if git.exists() or git.is_symlink():
            git.rename(aside / "old")
        source.rename(git)
        shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def _start(self, beside: Path | None = None) -> Iterator[Path]:
        """The workspace as the level starts it, built in a temporary folder.

        With `beside` it is a folder in that one, which the caller has for itself: what a killed command left
        there is removed.
        """
        try:
            if beside is not None:
                shutil.rmtree(beside, ignore_errors=True)
                beside.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(
                prefix="bughunt-", dir=beside, ignore_cleanup_errors=True
            ) as folder:
                start = Path(folder) / "workspace"
                inject(start, self.level.bugs, guided=self._guided)
                (start / "CASE.md").write_text(case_file(self.level), encoding="utf-8")
                yield start
        except PermissionError as error:
            raise BughuntError(
                f"bughunt cannot use {error.filename}: {error.strerror}.", "Check the permissions."
            ) from error


def cut_short(level: Level, operation: Operation) -> BughuntError:
    """The error that says what was interrupted, and how it is finished."""
    step = f"Run `{operation.command}` to finish it"
    if operation.rescue is not None:
        step += f"; `bughunt restore {operation.rescue}` then brings back what was there before"
    return BughuntError(
        f"In {level.id} a {operation.name} was cut short: some of its files are old, some new.", f"{step}."
    )


def files_of(folder: Path) -> dict[str, Path]:
    """The files and links below `folder` that count: no by-products, no dot-folders, no environments."""
    found = {}
    for parent, folders, names in os.walk(folder, onerror=_raise):
        relative = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in links
            and not is_by_product((relative / name).as_posix())
            and not (Path(parent) / name / "pyvenv.cfg").exists()
        ]
        for name in [*names, *links]:
            path = Path(parent) / name
            if not is_by_product((relative / name).as_posix()) and (path.is_symlink() or path.is_file()):
                found[(relative / name).as_posix()] = path
    return found


def _raise(error: OSError) -> None:
    raise error


def _differences(old: dict[str, Path], new: dict[str, Path]) -> list[str]:
    return sorted(file for file in old.keys() | new.keys() if not same_contents(old.get(file), new.get(file)))


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
    safe = (start, files_of(rescue.saved) if rescue is not None else {})
    changes = [file for file in _differences(wanted, present) if only is None or file in only]
    # What has to go goes first, so that a link in the place of a folder is never written through.
    for file in sorted(changes, key=lambda file: file in wanted):
        target = workspace / file
        now = target if target.is_symlink() or target.is_file() else None
        if now is not None and not any(same_contents(now, files.get(file)) for files in safe):
            raise BughuntError(f"{target} was changed at this moment.", "Save your files and try again.")
        if now is None and target.is_dir():
            # What is left in it is not for us to remove.
            target.rename(_unused_name(target))
        if file in wanted:
            copy_atomically(wanted[file], target)
        else:
            target.unlink(missing_ok=True)
            _drop_empty_folders(target.parent, workspace)


def _drop_empty_folders(folder: Path, root: Path) -> None:
    while folder != root and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _unused_name(path: Path) -> Path:
    return next(name for n in itertools.count(1) if not (name := path.with_name(f"{path.name}.{n}")).exists())


def _holds(
    rescue: Rescue, only: Collection[str] | None, files: Mapping[str, Path | None], history: Path | None
) -> bool:
    """Does the rescue hold these files, as they are, and this history, if any, already?"""
    saved = files_of(rescue.saved)
    return (
        rescue.whole == (only is None)
        and all(same_contents(path, saved.get(file)) for file, path in files.items())
        and (history is None or _history(history) == _history(rescue.history))
    )


def _history(git: Path | None) -> dict[str, bytes]:
    """What a git folder holds of its owner's: branches, commits, settings, hooks. Objects by name only."""
    if git is None or git.is_file():
        return {"": git.read_bytes() if git else b""}
    objects = {path.relative_to(git).as_posix(): b"" for path in git.glob("objects/*/*")}
    kept = [git / "HEAD", git / "config", git / "packed-refs", *git.glob("refs/**/*"), *git.glob("hooks/*")]
    return objects | {path.relative_to(git).as_posix(): path.read_bytes() for path in kept if path.is_file()}
