"""Seeing to it that many files are on the disk: written first, all of them, and waited for once."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from bughunt.disk.files import UNSUPPORTED, naming, sync, sync_folder

# Waiting for a few files one by one is quick, and spares a busy disk; beyond that the whole disk is quicker.
_FEW = 128


def make_durable(files: Collection[Path], below: Path) -> None:
    """Returns when `files`, and the folders down to them from `below`, would outlive a loss of power."""
    if len(files) > _FEW and _sync_disk(below):
        return
    for file in files:
        if not file.is_symlink():
            with naming(file):
                _sync_file(file)
    folders = {folder for file in files for folder in file.parents if folder.is_relative_to(below)}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        sync_folder(folder)


def _sync_file(file: Path) -> None:
    # A file that may not be opened again (its mode came with it) waits for the system's own time.
    with suppress(PermissionError):
        # Windows waits only for what is open for writing.
        descriptor = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)


def _sync_disk(folder: Path) -> bool:
    """Writes back all that the disk of `folder` has been given; False where there is no way to ask for it."""
    import ctypes

    try:
        syncfs = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError, TypeError):
        return False
    with naming(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if syncfs(descriptor) == 0:
                return True
            code = ctypes.get_errno()
        finally:
            os.close(descriptor)
        if code in UNSUPPORTED:
            return False
        raise OSError(code, os.strerror(code))
