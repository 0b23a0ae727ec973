"""Refits the patches of bugs and fixes to a tree that has changed.

A bug's patch applies to the tree, a fix's to the tree with its bug. A three-way merge of what each did to the
old tree with what has become of the tree carries it over. What cannot be carried over without knowing what it
means is left as it is, and named.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bughunt.author.merge import merge
from bughunt.author.patchfile import (
    changed_lines,
    draw,
    files_of,
    first_hunk,
    net_change,
    split_lines,
    style_of,
)
from bughunt.disk.files import write_atomically
from bughunt.disk.places import temporary_folder
from bughunt.errors import BughuntError
from bughunt.workspace.git import run_git

TREE, CHALLENGES = "nanochat", "challenges"

Files = dict[str, str]


@dataclass(frozen=True)
class Edition:
    """A tree and the challenges that were made for it."""

    tree: Path
    challenges: Path


@dataclass(frozen=True)
class Refitted:
    """What became of one patch. `reason` says why it needs a hand, or what to look at in one refitted."""

    patch: Path
    outcome: Literal["unchanged", "refitted", "needs a hand"]
    reason: str = ""
    file: str = ""
    hunk: str = ""


class _NeedsAHand(Exception):
    def __init__(self, reason: str, file: str = "", hunk: str = "") -> None:
        super().__init__(reason)
        self.reason, self.file, self.hunk = reason, file, hunk


def rebase_repository(
    repository: Path,
    revision: str = "HEAD",
    *,
    write: bool,
    on_patch: Callable[[Refitted], None] = lambda _: None,
) -> list[Refitted]:
    """Refits the patches in a working folder to its tree; both fitted each other at `revision`."""
    after = Edition(repository / TREE, repository / CHALLENGES)
    with edition_at(repository, revision) as before:
        return rebase(before, after, write=write, on_patch=on_patch)


@contextmanager
def edition_at(repository: Path, revision: str) -> Iterator[Edition]:
    """Tree and challenges as they were committed, in a folder that goes again."""
    packed = run_git(repository, "archive", "--format=tar", revision, "--", TREE, CHALLENGES)
    with temporary_folder() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Edition(folder / TREE, folder / CHALLENGES)


def rebase(
    before: Edition,
    after: Edition,
    *,
    write: bool,
    on_patch: Callable[[Refitted], None] = lambda _: None,
) -> list[Refitted]:
    """Refits every patch of `after.challenges` to `after.tree`, each bug's own patch before its fixes.

    A patch that was edited since `before` is taken to be meant for the new tree. Without `write` nothing is
    written. `on_patch` sees each result as it comes.
    """
    results: list[Refitted] = []

    def note(result: Refitted) -> None:
        results.append(result)
        on_patch(result)

    with temporary_folder() as folder:
        trial = _Trial(before, after, folder.resolve(), write)
        for bug_patch in sorted(after.challenges.glob("*/*/bug.patch")):
            result, old_bug, new_bug = trial.refit(bug_patch)
            note(result)
            for fix in sorted((bug_patch.parent / "fixes").glob("*.patch")):
                if new_bug is None:
                    note(Refitted(fix, "needs a hand", "its bug.patch needs one first"))
                else:
                    note(trial.refit(fix, old_bug, new_bug)[0])
    return results


class _Trial:
    """Where patches are tried: a folder that git may have to itself."""

    def __init__(self, before: Edition, after: Edition, folder: Path, write: bool) -> None:
        self.before, self.after, self.folder, self.write = before, after, folder, write

    def refit(
        self, patch: Path, old_bug: str | None = None, new_bug: str | None = None
    ) -> tuple[Refitted, str | None, str | None]:
        """What became of a patch, its text in the old edition and its text that fits the new one."""
        text = patch.read_text(encoding="utf-8")
        old = self.before.challenges / patch.relative_to(self.after.challenges)
        old_text = old.read_text(encoding="utf-8") if old.is_file() else None
        try:
            new_text, remark = self._fitting(text, old_text, old_bug, new_bug)
        except _NeedsAHand as why:
            return Refitted(patch, "needs a hand", why.reason, why.file, why.hunk), old_text, None
        if new_text == text:
            return Refitted(patch, "unchanged"), old_text, text
        if self.write:
            write_atomically(patch, new_text.encode("utf-8"), patch.stat().st_mode & 0o777)
        return Refitted(patch, "refitted", remark), old_text, new_text

    def _fitting(
        self, text: str, old_text: str | None, old_bug: str | None, new_bug: str | None
    ) -> tuple[str, str]:
        """The text that fits the new tree, and what to look at in it."""
        if "/dev/null" in text:
            raise _NeedsAHand("it adds or removes a file")
        files = files_of(text)
        new_base = self._patched(_read(self.after.tree, files), new_bug, "the new tree")
        if old_text is None or changed_lines(text) != changed_lines(old_text):
            # Somebody wrote it since: there is nothing to carry over, it has to fit as it is.
            result = self._patched(new_base, text, "the new tree")
            if style_of(text).context:
                return self._draw(new_base, result, text), ""
            return text, "it was edited and has no context: see that it stands where it should"
        old_base = self._patched(_read(self.before.tree, files), old_bug, "the old tree")
        if text == old_text and new_base == old_base:
            return text, ""
        old_result = self._patched(old_base, old_text, "the old tree")
        try:
            merged, remark = _merged(old_base, old_result, new_base, old_text)
        except _NeedsAHand:
            # Somebody may have refitted it by hand: then all of its context is that of the new tree.
            if text == old_text or not style_of(text).context:
                raise
            merged, remark = self._patched(new_base, text, "the new tree", fuzz=False), ""
        new_text = self._draw(new_base, merged, text)
        if self._patched(new_base, new_text, "the new tree") != merged:
            raise _NeedsAHand("git puts it in another place", files[0], first_hunk(text, files[0]))
        if net_change(new_text) != net_change(old_text):
            raise _NeedsAHand(
                "it would no longer change the same lines", files[0], first_hunk(text, files[0])
            )
        return new_text, remark

    def _patched(self, base: Files, patch: str | None, onto: str, *, fuzz: bool = True) -> Files:
        """`base` with a patch, or as much of it as is about these files.

        It is applied as the game does it, with context that need not all be there, or without such `fuzz`.
        """
        inside = {file: text for file, text in base.items() if patch and file in files_of(patch)}
        if patch is None or not inside:
            return base
        with temporary_folder(self.folder) as scratch:
            _write(scratch / "tree", inside)
            (scratch / "it.patch").write_text(patch, encoding="utf-8", newline="")
            wanted = [f"--include={file}" for file in inside]
            options = ["--unidiff-zero", "--whitespace=nowarn", *(["-C0"] if fuzz else [])]
            try:
                run_git(scratch / "tree", "apply", *wanted, *options, str(scratch / "it.patch"))
            except BughuntError as error:
                file = next(iter(inside))
                raise _NeedsAHand(f"it does not fit {onto}", file, first_hunk(patch, file)) from error
            patched = base | _read(scratch / "tree", list(inside))
        # git may succeed and change nothing.
        same = [file for file in inside if patched[file] == base[file]]
        if same:
            raise _NeedsAHand(f"it changes nothing in {onto}", same[0], first_hunk(patch, same[0]))
        return patched

    def _draw(self, base: Files, result: Files, like: str) -> str:
        with temporary_folder(self.folder) as scratch:
            _write(scratch / "a", base)
            _write(scratch / "b", result)
            return draw(scratch, style_of(like))


def _merged(old_base: Files, old_result: Files, new_base: Files, patch: str) -> tuple[Files, str]:
    """The new files with what was done to the old ones, and what to look at."""
    results: Files = {}
    remarks = []
    for file, text in new_base.items():
        merged = merge(split_lines(old_base[file]), split_lines(text), split_lines(old_result[file]))
        if merged.conflict is not None:
            first, end = merged.conflict
            lines = "".join(split_lines(old_base[file])[first:end])
            place = f"line {first + 1}" if end <= first + 1 else f"lines {first + 1} to {end}"
            reason = f"the tree has changed where it does ({place} of the old file)"
            raise _NeedsAHand(reason, file, lines or first_hunk(patch, file))
        results[file] = "".join(merged.lines)
        if merged.touching:
            remarks.append(f"the tree has changed right beside it, in {file}")
        if file.endswith(".py") and _compiles(old_result[file]) and not _compiles(results[file]):
            raise _NeedsAHand("what comes of it is not Python", file, first_hunk(patch, file))
    return results, "; ".join(remarks)


def _compiles(source: str) -> bool:
    try:
        compile(source, "source", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _read(folder: Path, files: list[str]) -> Files:
    """Each file's text; a file that is not there is empty."""
    paths = {file: folder / file for file in files}
    return {file: path.read_bytes().decode("utf-8") if path.is_file() else "" for file, path in paths.items()}


def _write(folder: Path, files: Files) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8", newline="")
