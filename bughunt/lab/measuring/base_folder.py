"""A base folder for the tree's runs, for a while."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE_DIR = "NANOCHAT_BASE_DIR"


@contextmanager
def base_folder() -> Iterator[Path]:
    """A new folder that is the tree's base folder in the block; torch's random numbers go on after it."""
    import torch

    former, random_state = os.environ.get(BASE_DIR), torch.get_rng_state()
    folder = os.environ[BASE_DIR] = tempfile.mkdtemp()
    try:
        yield Path(folder)
    finally:
        torch.set_rng_state(random_state)
        if former is None:
            del os.environ[BASE_DIR]
        else:
            os.environ[BASE_DIR] = former
