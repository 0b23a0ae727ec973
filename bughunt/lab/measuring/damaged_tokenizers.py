"""Saved tokenizers with a fault in one of their two files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

SETTINGS, MERGES = "tokenizer.json", "merges.tiktoken"


def damaged_copy(folder: Path, damage: str) -> Path:
    """A copy, in the current folder, of the folder of a saved tokenizer, with one of `DAMAGES`, or another
    text for none. Settings and merges are written anew, so that the one still vouches for the other."""
    copy = Path(mkdtemp(dir="."))
    for name in (SETTINGS, MERGES):
        (copy / name).write_bytes((folder / name).read_bytes())
    _rewrite(copy)
    if damage in DAMAGES:
        DAMAGES[damage](copy)
    return copy


def _rewrite(
    folder: Path,
    *,
    settings_change: Callable[[dict[str, Any]], object] | None = None,
    merges_change: Callable[[list[bytes]], object] | None = None,
) -> None:
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    lines = (folder / MERGES).read_bytes().splitlines()
    if merges_change:
        merges_change(lines)
    merges = b"".join(line + b"\n" for line in lines)
    (folder / MERGES).write_bytes(merges)
    settings["merges_sha256"] = hashlib.sha256(merges).hexdigest()
    if settings_change:
        settings_change(settings)
    (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")


def _replace_token(lines: list[bytes], token: bytes, other: bytes) -> None:
    """Put another token in its place, both in base64."""
    (number,) = (number for number, line in enumerate(lines) if line.startswith(token + b" "))
    lines[number] = other + lines[number][len(token) :]


def _drop_last_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


_SETTINGS_CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no pattern": lambda one: one.pop("pattern"),
    "a pattern that is a number": lambda one: one.update(pattern=3),
    "no special tokens": lambda one: one.pop("special_tokens"),
    "a special token that is a number": lambda one: one["special_tokens"].append(3),
    "special tokens in one text": lambda one: one.update(special_tokens="<|bos|>"),
    "a special token twice": lambda one: one["special_tokens"].append(one["special_tokens"][0]),
    "an empty special token": lambda one: one["special_tokens"].append(""),
    "no word on the merges": lambda one: one.pop("merges_sha256"),
}
_MERGES_CHANGES: dict[str, Callable[[list[bytes]], object]] = {
    "a rank left out": lambda lines: lines.pop(-2),
    "two lines exchanged": lambda lines: lines.append(lines.pop(-2)),
    "ranks from 1": lambda lines: lines.pop(0),
    "no number": lambda lines: lines.append(b"YWI= x"),
    "no token": lambda lines: lines.append(b"*** %d" % len(lines)),
    "a token with a star in it": lambda lines: lines.append(b"YW*I= %d" % len(lines)),
    "a rank alone": lambda lines: lines.append(b"%d" % len(lines)),
    "no rank": lambda lines: lines.append(b"YWI="),
    "a byte missing": lambda lines: lines.__setitem__(7, b"YWJjZGVm 7"),
    "the last byte missing": lambda lines: _replace_token(lines, b"/w==", b"YWJjZGVm"),
}
_FILE_CHANGES: dict[str, Callable[[Path], object]] = {
    "merges of another tokenizer": lambda folder: _drop_last_line(folder / MERGES),
    "no merges": lambda folder: (folder / MERGES).unlink(),
    "no settings": lambda folder: (folder / SETTINGS).unlink(),
    "settings that are no text": lambda folder: (folder / SETTINGS).write_bytes(b"\xff\xfe"),
    "settings that are no JSON": lambda folder: (folder / SETTINGS).write_text("{"),
    "settings that are a list": lambda folder: (folder / SETTINGS).write_text("[]"),
    "settings that are a folder": lambda folder: _make_folder(folder / SETTINGS),
}

# By name, what is done to the folder.
DAMAGES: dict[str, Callable[[Path], object]] = {
    **{name: partial(_rewrite, settings_change=change) for name, change in _SETTINGS_CHANGES.items()},
    **{name: partial(_rewrite, merges_change=change) for name, change in _MERGES_CHANGES.items()},
    **_FILE_CHANGES,
}
