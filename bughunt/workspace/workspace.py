"""The player's own copy of the tree with a level's bugs in it: create, compare, reset, rescue, restore.

A workspace is only ever overwritten in place (a shell or an editor may have it open), file by file, and
only after a rescue of what differs has been completed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bughunt.content.installed import tree_folder
from bughunt.content.level import Level
from bughunt.content.tree import tree_files
from bughunt.disk.files import remove_folder
from bughunt.disk.folders import move_folder
from bughunt.disk.kinds import expect
from bughunt.disk.places import explained, temporary_folder
from bughunt.workspace.casefile import case_file
from bughunt.workspace.compare import differences, hashes, unified_diff
from bughunt.workspace.git import make_repository, require_git
from bughunt.workspace.guard import expect_overwritable, expect_own_history
from bughunt.workspace.history import copy_history, replace_history, same_history
from bughunt.workspace.injection import inject
from bughunt.workspace.laying import lay
from bughunt.workspace.overwriting import Operation, cut_short, interrupted, overwriting
from bughunt.workspace.rescue import Rescue, Rescues
from bughunt.workspace.scope import files_of, left_by_kills, source_files

__all__ = ["Operation", "Workspace", "cut_short"]

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
    def interrupted(self) -> Operation | None:
        """What was overwriting the workspace and never finished, if anything."""
        return interrupted(self._mark)

    def create(self) -> None:
        """Makes the workspace where nothing is yet: built aside, then moved into place whole."""
        require_git()
        with self._start(self._scratch) as start:
            expect(self._mark, "file")
            make_repository(start, _COMMIT.format(self.level.id))
            self._mark.unlink(missing_ok=True)
            # CASE.md last: a folder without it is not taken for a workspace.
            move_folder(start, self.path, last="CASE.md")

    def edits(self) -> list[str]:
        """The files (relative) that differ from the start of the level, added and deleted ones too."""
        with self._start() as start:
            files = files_of(start)
            return differences(files, source_files(self.path, files))

    def start_hashes(self) -> dict[str, str]:
        """A hash of each file (relative) as the level starts."""
        with self._start() as start:
            return hashes(files_of(start))

    def hashes(self, known: Collection[str]) -> dict[str, str]:
        """The same of each source file as it is now; `known` are the names of the level's files."""
        return hashes(source_files(self.path, known))

    def diff(self) -> str:
        """The player's edits as a unified diff from the start of the level."""
        with self._start() as start:
            files = files_of(start)
            return unified_diff(files, source_files(self.path, files))

    def expect_overwritable(self, only: Collection[str] | None, also: Collection[str] = ()) -> None:
        """Raises BughuntError unless all (or the files `only`) can be put back, with the files `also`."""
        if only is not None:
            expect_overwritable(self.path, only, None)
            return
        expect_own_history(self.path / ".git")
        files = {*tree_files(tree_folder()), "CASE.md", *also}
        expect_overwritable(self.path, files, source_files(self.path, files, also))

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
            with overwriting(self._mark, operation, rescue):
                lay(files, self.path, files, rescue, only)
                if only is None:
                    replace_history(self.path / ".git", start / ".git", self._scratch)
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
            saved = files_of(wanted.saved)
            if self._is_as_kept(wanted, saved, files_of(start)):
                return None
            rescue = self._rescue(start, rescues, operation, progress, only, also=saved)
            with overwriting(self._mark, operation, rescue):
                lay(saved, self.path, files_of(start), rescue, only)
                if wanted.history is not None:
                    copied = start.parent / "history"
                    copy_history(wanted.history, copied)
                    replace_history(self.path / ".git", copied, self._scratch)
            return rescue

    def _is_as_kept(self, wanted: Rescue, saved: dict[str, Path], start: dict[str, Path]) -> bool:
        """Is there nothing to be brought back, since all is as it was kept?"""
        present = source_files(self.path, start, saved)
        apart = differences(saved, present)
        if self.interrupted is not None or wanted.history is not None or left_by_kills(self.path):
            return False
        return not (apart if wanted.whole else set(apart) & set(wanted.files))

    def _rescue(
        self,
        start: Path,
        rescues: Rescues,
        operation: Operation,
        progress: dict[str, Any],
        only: Collection[str] | None,
        also: Collection[str] = (),
    ) -> Rescue | None:
        """Saves what differs from `start`, a repository like the one that the workspace began as.

        Source are the files `also`, too, wherever they stand.
        """
        self.expect_overwritable(only, also)
        interrupted = self.interrupted
        if interrupted is not None and only is not None and interrupted.name != operation.name:
            raise cut_short(self.level, interrupted)
        files = files_of(start)
        present = source_files(self.path, files, also)
        differing = [file for file in differences(files, present) if only is None or file in only]
        history = self.path / ".git" if only is None and (self.path / ".git").exists() else None
        if history is not None and same_history(history, start / ".git"):
            history = None
        if not differing and history is None:
            return None
        for earlier in rescues.all() if interrupted is not None else ():
            if earlier.holds({file: present.get(file) for file in differing}, only is None, history):
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

    @contextmanager
    def _start(self, beside: Path | None = None) -> Iterator[Path]:
        """The workspace as the level starts it, built in a temporary folder.

        With `beside` it is a folder in that one, which the caller has for itself: what a killed command left
        there is removed.
        """
        if beside is not None:
            with explained(beside):
                expect(beside, "folder")
                remove_folder(beside)
                beside.mkdir(parents=True, exist_ok=True)
        with temporary_folder(beside) as folder, explained(folder):
            start = folder / "workspace"
            inject(start, self.level.bugs, guided=self._guided)
            (start / "CASE.md").write_text(case_file(self.level), encoding="utf-8")
            yield start
