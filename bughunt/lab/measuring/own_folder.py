"""A working folder that no other measurement writes into."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_folder() -> Iterator[None]:
    """In the block, or the function that this decorates, the current folder is a new and empty one.

    It stays, like all that is in the scratch folder: that is removed as a whole.
    """
    former = Path.cwd()
    os.chdir(tempfile.mkdtemp(dir=former))
    try:
        yield
    finally:
        os.chdir(former)
