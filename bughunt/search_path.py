"""Where the judge's processes look for modules: in no folder that a player may have put some into."""

from __future__ import annotations

import sys
from pathlib import Path

import bughunt


def trusted_search_path() -> list[str]:
    """This process's module search path without the current folder, a tree, a hunt, or a workspace."""
    return [
        entry
        for entry in sys.path
        if entry and Path(entry).is_absolute() and not _is_tree(Path(entry)) and not _players(Path(entry))
    ]


def _is_tree(path: Path) -> bool:
    """Would what a workspace lacks be found here instead? (What is installed has to stay on the path.)"""
    return (path / "nanochat/__init__.py").is_file() and path.name not in ("site-packages", "dist-packages")


def _players(path: Path) -> bool:
    """Is this folder a hunt, or in a workspace? (A virtual environment in a hunt is not.)"""
    if path == Path(bughunt.__file__).resolve().parent.parent:
        return False
    return (path / ".bughunt").is_dir() or any(
        folder.name.startswith("level") and (folder.parent / ".bughunt").is_dir()
        for folder in (path, *path.parents)
    )
