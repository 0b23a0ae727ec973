"""How two sets of files differ: by name, and as a unified diff."""

from __future__ import annotations

import difflib
import os
from hashlib import sha256
from pathlib import Path

from bughunt.disk.files import same_contents


def differences(old: dict[str, Path], new: dict[str, Path]) -> list[str]:
    """The names of the files that are not the same in both, or only in one."""
    return sorted(file for file in old.keys() | new.keys() if not same_contents(old.get(file), new.get(file)))


def hashes(files: dict[str, Path]) -> dict[str, str]:
    """A hash of the contents of each file, or of where it leads, for a link."""
    return {name: sha256(_contents(path)).hexdigest() for name, path in files.items()}


def unified_diff(old: dict[str, Path], new: dict[str, Path]) -> str:
    """What leads from `old` to `new`."""
    return "".join(_file_diff(file, old.get(file), new.get(file)) for file in differences(old, new))


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
