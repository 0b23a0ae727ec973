"""No path of the game's own in what measured code has printed, raised or returned: it tells where to look.

`<game>` stands for all that belongs to the game, `<scratch>` for a measurement's temporary folder. The files
of the workspace are named as the player knows them: relative to the workspace.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bughunt
from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.disk.places import PREFIX
from bughunt.measure.outcomes import Failure, Outcome

_TOO_DEEP = "What the code returned is nested too deep to be measured."

_GAME, _SCRATCH, _WORKSPACE = "<game>", "<scratch>", "<workspace>"

# Parts of paths, however they are spelt: in a text, a repr, JSON, or a URL. The game's own files have no
# spaces in their names.
_SEPARATOR = r"(?:/|\\{1,4}|%2F|%5C)"
_PART = r"""[^\s"'`<>|:,;()\[\]{}]*"""
_END = r"(?![\w-])"
_IN_A_PATH = r"[\w.%/\\-]"
_PATH_BEGINS = re.compile(rf"(?<!{_IN_A_PATH})(?={_IN_A_PATH})")
_PATH_GOES_ON = re.compile(rf"{_IN_A_PATH}*")

# A place in a file of the game's, as a stack or a warning names it. What stands behind it, and in the lines
# below that are indented, is code of the game's: it goes with the path.
_FRAME = re.compile(rf'^([ \t]*)File "[^"\n]*{_GAME}"[^\n]*(?:\n\1[ \t]{{2,}}\S[^\n]*)*', re.MULTILINE)
_SAME_AGAIN = re.compile(rf'^([ \t]*File "{_GAME}")(?:\n\1)+$', re.MULTILINE)
_WARNING = re.compile(rf"^({_GAME}):\d+(: [^\n]*)(?:\n[ \t]{{2}}\S[^\n]*)?", re.MULTILINE)

# `…` stands where a text has lost its beginning or end, perhaps in the midst of a path.
_CUT_PATH = re.compile(r"… \S*(?:[/\\]|\.py)\S*|(?<!\S)(?=\S*(?:[/\\]|\.py))\S++ …")


class Masks:
    """Made before any code of a workspace runs."""

    def __init__(self) -> None:
        folders = (Path(bughunt.__file__).parent, challenges_folder(), tree_folder())
        bugs = {path.parent.name for path in challenges_folder().glob("*/*/bug.toml")}
        slugs = "|".join(re.escape(name) for name in sorted(bugs))
        telling = "|".join(re.escape(name) for name in sorted(bugs) if "-" in name)
        own = rf"{_SEPARATOR}{re.escape(PREFIX)}[a-z0-9_]{{8}}"
        scratch = rf"(?:{_any_of([Path(tempfile.gettempdir())])})(?:{own})+"
        self._game = _pattern(
            rf"(?:{_any_of(folders)})(?:{_SEPARATOR}{_PART}|{_END})",
            # Below another folder, by a relative path, or with the beginning cut off.
            rf"\blevel\d+{_SEPARATOR}(?:{slugs}){_END}{_PART}",
            rf"\b(?:{slugs}){_SEPARATOR}[\w-]+\.(?:py|toml|patch|json){_END}",
            rf"(?<![\w-])(?:{telling}){_END}",
        )
        self._scratch = _pattern(scratch + _END)
        # A copy of what measures: in a scratch folder, or named by the end of its path alone.
        self._copied = _pattern(rf"{_SEPARATOR}(?:bughunt{_SEPARATOR}{_PART}|measure\.py{_END})")
        self._copied_end = _pattern(rf"{_SEPARATOR}\d+{_SEPARATOR}measure\.py{_END}")

    def outcome(self, outcome: Outcome, workspace: Path) -> Outcome:
        """The same with every text in it masked."""

        def mask(text: str) -> str:
            return self.text(text, workspace)

        if isinstance(outcome, Failure):
            return replace(outcome, message=mask(outcome.message), detail=mask(outcome.detail))
        try:
            return replace(outcome, data=_mapped(outcome.data, mask))
        except RecursionError:
            return Failure(_TOO_DEEP, seconds=outcome.seconds)

    def text(self, text: str, workspace: Path) -> str:
        """The same without paths of the game's, and without half characters, which no file can hold."""
        text = text.encode(errors="replace").decode()
        text = _to_the_end(text, self._scratch, self._copied)
        text = _to_the_end(text, _PATH_BEGINS, self._copied_end)
        text = self._game.sub(_GAME, text)
        within, itself = _workspace(workspace)
        text = _CUT_PATH.sub("…", text)
        text = itself.sub(_WORKSPACE, within.sub("", text))
        text = self._scratch.sub(_SCRATCH, text)
        if _GAME in text:
            text = _FRAME.sub(rf'\1File "{_GAME}"', text)
            text = _WARNING.sub(r"\1\2", _SAME_AGAIN.sub(r"\1", text))
        return text


@lru_cache(maxsize=8)
def _workspace(folder: Path) -> tuple[re.Pattern[str], re.Pattern[str]]:
    spelt = _any_of([folder])
    return _pattern(rf"(?:{spelt}){_SEPARATOR}(?=\w)"), _pattern(rf"(?:{spelt}){_END}")


def _pattern(*alternatives: str) -> re.Pattern[str]:
    flags = 0 if sys.platform == "linux" else re.IGNORECASE
    return re.compile("|".join(alternatives), flags)


def _any_of(folders: Iterable[Path]) -> str:
    """A pattern for each way in which a text may spell one of the folders, the longest first."""
    spelt: set[str] = set()
    for folder in folders:
        for path in {folder.absolute(), folder.resolve()}:
            for plain in (str(path), path.as_posix()):
                spelt |= {plain, repr(plain)[1:-1], ascii(plain)[1:-1], json.dumps(plain)[1:-1], quote(plain)}
    return "|".join(re.escape(one) for one in sorted(spelt, key=len, reverse=True))


def _to_the_end(text: str, beginning: re.Pattern[str], end: re.Pattern[str]) -> str:
    """The same with `<game>` for each path from a `beginning` to the last `end` in it.

    Every character is read a few times at most; one pattern for a whole path would begin anew at each.
    """
    kept, place = [], 0
    while start := beginning.search(text, place):
        rest = _PATH_GOES_ON.match(text, start.end())
        assert rest is not None
        *_, last = [None, *end.finditer(text, *rest.span())]
        whole = last and end.match(text, last.start())
        kept += [text[place : start.start()], _GAME] if whole else [text[place : rest.end()]]
        place = whole.end() if whole else rest.end()
    return "".join([*kept, text[place:]])


def _mapped(data: Any, change: Callable[[str], str]) -> Any:
    """Plain data with its texts changed."""
    if isinstance(data, str):
        return change(data)
    if isinstance(data, list):
        return [_mapped(one, change) for one in data]
    if isinstance(data, dict):
        return {change(key): _mapped(value, change) for key, value in data.items()}
    return data
