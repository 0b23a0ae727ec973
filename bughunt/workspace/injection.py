"""Making the start of a level: the clean tree with bugs injected, in a folder that is not there yet."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.content.tree import tree_files
from bughunt.disk.files import copy_new, naming
from bughunt.disk.places import explained, temporary_folder
from bughunt.errors import BughuntError
from bughunt.workspace.git import apply_patch, own_repository
from bughunt.workspace.guide import mark_bugs


def copy_tree(target: Path) -> None:
    """Copies the clean tree to the new folder `target`."""
    source = tree_folder()
    for path in tree_files(source):
        with naming(target / path):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
        # An installed game may be read-only; a workspace is not.
        copy_new(source / path, target / path, with_mode=False)


def inject(target: Path, bugs: Sequence[Bug], *, guided: bool = False) -> None:
    """Makes `target` the clean tree with `bugs` in it, and proves that just their files changed.

    Raises BughuntError when a patch does not fit: `git apply` can succeed and change nothing.
    """
    copy_tree(target)
    with own_repository(target):
        for bug in bugs:
            _inject_one(target, bug)
    _expect_only(target, {file for bug in bugs for file in bug.files})
    if guided:
        mark_bugs(target, bugs)


def _inject_one(target: Path, bug: Bug) -> None:
    before = {file: (target / file).read_bytes() for file in bug.files}
    apply_patch(target, bug.patch)
    for file, contents in before.items():
        if (target / file).read_bytes() == contents:
            raise BughuntError(
                f"Bug {bug.id} could not be injected: {file} did not change.", "Run `bughunt doctor`."
            )


def solution_diff(level: Level, bug: Bug) -> str:
    """A unified diff from the level's start to the same with `bug` alone repaired."""
    with temporary_folder() as folder, explained(folder):
        broken, repaired = folder / "broken", folder / "repaired"
        inject(broken, level.bugs)
        inject(repaired, [other for other in level.bugs if other is not bug])
        lines: list[str] = []
        for file in bug.files:
            lines += difflib.unified_diff(
                (broken / file).read_text(encoding="utf-8").splitlines(keepends=True),
                (repaired / file).read_text(encoding="utf-8").splitlines(keepends=True),
                f"a/{file}",
                f"b/{file}",
            )
        return "".join(lines)


def _expect_only(target: Path, changed: set[str]) -> None:
    source = tree_folder()
    for path in tree_files(target):
        original = source / path
        same = original.is_file() and original.read_bytes() == (target / path).read_bytes()
        if same == (path in changed):
            raise BughuntError(f"Injecting the bugs changed {path} unexpectedly.", "Run `bughunt doctor`.")
