"""Applying patches to texts in memory, so that what a patch is made of never lies on a disk on the way.

A hunk goes where git would put it: at its line, else at the nearest place where its lines stand, and with as
few lines of context as it takes. Patches that change files are understood, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bughunt.disk.files import write_atomically
from bughunt.errors import BughuntError

_FILE = re.compile(rb"\+\+\+ b/([^\t\r\n]+)")
_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class _Hunk:
    """`lines` begin with a space, a minus or a plus; `place` is where the first one is to stand (from 0)."""

    place: int
    lines: tuple[bytes, ...]

    def cut(self, above: int, below: int) -> _Hunk:
        """The same hunk without so many of its first and last lines; git looks for it that much earlier."""
        return _Hunk(self.place - above, self.lines[above : len(self.lines) - below])

    def context(self) -> tuple[int, int]:
        """The number of lines before the first change, and after the last."""
        changed = [number for number, line in enumerate(self.lines) if line[:1] != b" "]
        return changed[0], len(self.lines) - 1 - changed[-1]

    def side(self, sign: bytes) -> list[bytes]:
        """The lines as they are without the change (`-`) or with it (`+`)."""
        return [line[1:] for line in self.lines if line[:1] in (b" ", sign)]


def apply_patch(folder: Path, patch: Path) -> None:
    """Applies a patch to the files in `folder`. Raises BughuntError when it does not fit."""
    hunks = _hunks(patch.read_bytes())
    texts = {file: (folder / file).read_bytes() for file in hunks if (folder / file).is_file()}
    for file, text in patched(texts, patch).items():
        write_atomically(folder / file, text)


def patched(texts: Mapping[str, bytes], patch: Path) -> dict[str, bytes]:
    """`texts` (by the names of files) with a patch applied. Raises BughuntError when it does not fit."""
    changed = dict(texts)
    for file, hunks in _hunks(patch.read_bytes()).items():
        lines = _LINE.findall(changed.get(file, b""))
        # As in git, no hunk is applied to lines that another one of the same patch has put there.
        free = [True] * len(lines)
        for hunk in hunks:
            found = _find(hunk, lines, free)
            if found is None:
                raise BughuntError(
                    f"bughunt could not apply {patch.name}: the lines that it changes are not in {file}.",
                    "Run `bughunt doctor` to have it looked into.",
                )
            old, new = found.side(b"-"), found.side(b"+")
            lines[found.place : found.place + len(old)] = new
            free[found.place : found.place + len(old)] = [False] * len(new)
        changed[file] = b"".join(lines)
    return changed


def _find(hunk: _Hunk, lines: list[bytes], free: list[bool]) -> _Hunk | None:
    """The hunk where its lines stand, with as much of its context as it can have; None where they do not."""
    above, below = hunk.context()
    cut_above = cut_below = 0
    while True:
        tried = hunk.cut(cut_above, cut_below)
        old = tried.side(b"-")
        for place in _from_near(tried.place, len(lines) - len(old)):
            if lines[place : place + len(old)] == old and all(free[place : place + len(old)]):
                return _Hunk(place, tried.lines)
        left_above, left_below = above - cut_above, below - cut_below
        if not (left_above or left_below):
            return None
        # The longer side gives way first, and both where they are the same.
        cut_above += left_above >= left_below
        cut_below += left_below >= left_above


def _from_near(place: int, last: int) -> Iterator[int]:
    """The numbers from 0 to `last`, those near `place` first and of two as near the later one."""
    return iter(sorted(range(last + 1), key=lambda other: (abs(other - place), other < place)))


def _hunks(patch: bytes) -> dict[str, list[_Hunk]]:
    """The hunks of a patch by the files that they change."""
    found: dict[str, list[_Hunk]] = {}
    hunks: list[_Hunk] = []
    lines = iter(_LINE.findall(patch))
    for line in lines:
        if file := _FILE.match(line):
            hunks = found.setdefault(file[1].decode(), [])
        elif head := _HUNK.match(line):
            old, new = (1 if count is None else int(count) for count in (head[1], head[3]))
            hunks.append(_Hunk(max(0, int(head[2]) - 1), tuple(_body(lines, old, new))))
    return found


def _body(lines: Iterator[bytes], old: int, new: int) -> Iterator[bytes]:
    """The lines of a hunk that has so many on either side."""
    while old > 0 or new > 0:
        line = next(lines, b"")
        if line[:1] not in (b" ", b"-", b"+"):
            return
        old -= line[:1] != b"+"
        new -= line[:1] != b"-"
        yield line
