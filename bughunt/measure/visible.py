"""What the measuring processes see of the machine in a sandbox: Python, its packages and the workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bughunt.confine.view import View

# Where a Linux keeps programs and libraries, and what its loader and its clock look up. Nothing of anybody's.
_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
    "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
    "/etc/hosts", "/etc/nsswitch.conf", "/sys/devices/system/cpu",
)  # fmt: skip

_SCRATCH_BYTES = 512 << 20
_SCRATCH_FILES = 20_000


def view_of(
    workspace: str, scratch: str, kit: str, search_path: Sequence[str], hidden: Sequence[str]
) -> View:
    """The view for measuring `workspace` with what the game measures with, `kit`, less what is `hidden`."""
    system = [Path(path) for path in _SYSTEM if Path(path).exists()]
    links = {path: os.fsdecode(path.readlink()) for path in system if path.is_symlink()}
    unseen = [Path(path).resolve() for path in hidden]
    places = {*system, *_pythons(), *_packages(search_path, workspace), *_libraries()} - links.keys()
    places = {
        one for path in places if path.exists() for one in (Path(os.path.normpath(path)), path.resolve())
    }
    shown = _outermost(places - set(unseen))
    return View(
        shown=tuple(map(str, shown)),
        masked=tuple(str(path) for path in unseen if path.is_dir() and _is_in(path, shown)),
        given=(kit, workspace),
        links=tuple((str(path), target) for path, target in links.items()),
        scratch=scratch,
        scratch_bytes=_SCRATCH_BYTES,
        scratch_files=_SCRATCH_FILES,
    )


def _pythons() -> Iterator[Path]:
    """Where this Python lies, in its environment and outside of it, and the links that lead to it."""
    yield from map(Path, (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix))
    program = Path(sys.executable)
    yield program
    while program.is_symlink():
        program = program.parent / program.readlink()
        yield program


def _packages(search_path: Sequence[str], workspace: str) -> Iterator[Path]:
    """Where modules are looked for, but no folder that holds what is the player's own: it is one by chance,
    as the current folder is for `python -m`."""
    own = [Path(workspace), Path.home()]
    yield from (path for path in map(Path, search_path) if not any(one.is_relative_to(path) for one in own))


def _libraries() -> Iterator[Path]:
    yield from map(Path, filter(os.path.isabs, os.environ.get("LD_LIBRARY_PATH", "").split(":")))


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """The paths that are in none of the others."""
    kept: list[Path] = []
    for path in sorted(paths):
        if not _is_in(path, kept):
            kept.append(path)
    return kept


def _is_in(path: Path, folders: Sequence[Path]) -> bool:
    return any(folder in path.parents for folder in folders)
