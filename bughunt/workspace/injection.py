"""The start of a level: the clean tree with bugs injected.

It is put together in memory, so that no file without its bug is ever where a player could find it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.content.tree import tree_files
from bughunt.disk.files import naming
from bughunt.errors import BughuntError
from bughunt.workspace.guide import marked
from bughunt.workspace.patches import patched

_Texts = dict[str, bytes]


def inject(target: Path, bugs: Sequence[Bug], *, guided: bool = False) -> None:
    """Makes the new folder `target` the clean tree with `bugs` in it."""
    for file, text in injected(bugs, guided=guided).items():
        path = target / file
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as opened:
                opened.write(text)


def injected(bugs: Sequence[Bug], *, guided: bool = False) -> _Texts:
    """The files of the clean tree with `bugs` in them; proves that just the bugs' files changed.

    Raises BughuntError when a patch does not fit.
    """
    source = tree_folder()
    clean = {file: (source / file).read_bytes() for file in tree_files(source)}
    texts = clean
    for bug in bugs:
        texts = _with_one(texts, bug)
    _expect_only(clean, texts, {file for bug in bugs for file in bug.files})
    return marked(texts, bugs) if guided else texts


def solution_diff(level: Level, bug: Bug) -> str:
    """A unified diff from the level's start to the same with `bug` alone repaired."""
    broken, repaired = injected(level.bugs), injected([other for other in level.bugs if other is not bug])
    lines: list[str] = []
    for file in bug.files:
        lines += difflib.unified_diff(
            broken[file].decode("utf-8").splitlines(keepends=True),
            repaired[file].decode("utf-8").splitlines(keepends=True),
            f"a/{file}",
            f"b/{file}",
        )
    return "".join(lines)


def _with_one(texts: _Texts, bug: Bug) -> _Texts:
    changed = patched(texts, bug.patch)
    for file in bug.files:
        if changed[file] == texts[file]:
            raise BughuntError(
                f"Bug {bug.id} could not be injected: {file} did not change.", "Run `bughunt doctor`."
            )
    return changed


def _expect_only(clean: _Texts, texts: _Texts, changed: set[str]) -> None:
    for file, text in texts.items():
        if (clean.get(file) == text) == (file in changed):
            raise BughuntError(f"Injecting the bugs changed {file} unexpectedly.", "Run `bughunt doctor`.")
