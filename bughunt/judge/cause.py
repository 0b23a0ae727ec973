"""Is a repair where the defect is, or does it work around it? Looked into only after a pass."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bughunt.content.installed import tree_folder
from bughunt.content.tree import tree_files
from bughunt.workspace.scope import counted, files_of

REMARK = "The code that this bug changed is as it was: the repair works from another place."


@dataclass(frozen=True)
class Hunk:
    """One change of a patch: runs of lines before (`clean`) and after (`defective`), and their neighbours."""

    file: str
    above: str
    clean: tuple[str, ...]
    defective: tuple[str, ...]
    below: str

    @property
    def before(self) -> str:
        """The place as it is without the defect; with its neighbours where nothing else would tell it."""
        return self._in_place(self.clean)

    @property
    def after(self) -> str:
        """The place with the defect."""
        return self._in_place(self.defective)

    def stands(self, text: str) -> bool:
        """Is the defect in `text`, as the patch leaves it?"""
        return self.after in text and self.before not in text

    def put_back(self, text: str) -> str | None:
        """`text` with the defect in again where it is as it was before; None where it is not."""
        return text.replace(self.before, self.after, 1) if self.before in text else None

    def _in_place(self, lines: tuple[str, ...]) -> str:
        if not (self.clean and self.defective):
            lines = (self.above, *lines, self.below)
        return "".join(f"{line}\n" for line in lines)


class Defect:
    """The defect that a patch brings, and the names of the tree's files: read here, and not again."""

    def __init__(self, patch: Path) -> None:
        self._hunks = tuple(read_hunks(patch))
        self._tree = _names_of_the_tree()

    def is_worked_around(self, workspace: Path, scratch: Path, passes: Callable[[Path], bool] | None) -> bool:
        """Does `workspace`, whose check passes, pass with the defect still standing, or put back in a copy?

        `passes` judges a copy, made in `scratch`; without it no copy is made.
        """
        texts = {hunk.file: _read(workspace / hunk.file) for hunk in self._hunks}
        if all(hunk.stands(texts[hunk.file]) for hunk in self._hunks):
            return True
        if passes is None:
            return False
        for hunk in self._hunks:
            text = hunk.put_back(texts[hunk.file])
            if text is None:
                return False
            texts[hunk.file] = text
        copy = scratch / "put-back"
        try:
            _copy_source(workspace, copy, self._tree)
            for file, text in texts.items():
                (copy / file).write_text(text, encoding="utf-8")
            return passes(copy)
        except OSError:
            return False
        finally:
            shutil.rmtree(copy, ignore_errors=True)


def read_hunks(patch: Path) -> Iterator[Hunk]:
    """The changes of a unified diff, each a run of removed and added lines between lines of context."""
    file, above = "", ""
    clean: list[str] = []
    defective: list[str] = []
    for line in [*patch.read_text(encoding="utf-8").splitlines(), "@@"]:
        if line.startswith("+++ b/"):
            file = line.removeprefix("+++ b/")
        elif line.startswith("---"):
            continue
        elif line.startswith("-"):
            clean.append(line[1:])
        elif line.startswith("+"):
            defective.append(line[1:])
        else:
            if clean or defective:
                yield Hunk(file, above, tuple(clean), tuple(defective), line[1:])
                clean, defective = [], []
            above = line[1:]


@cache
def _names_of_the_tree() -> frozenset[str]:
    return frozenset(tree_files(tree_folder()))


def _copy_source(workspace: Path, copy: Path, tree: Collection[str]) -> None:
    """Copies the code alone: a workspace may hold environments and data of the player's, however large."""
    for file, path in counted(files_of(workspace), tree).items():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / file)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ""
