"""A copy of level 1 for an author to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import challenges_folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder of challenges with level 1 in it."""
    shutil.copytree(challenges_folder() / "level1", tmp_path / "challenges" / "level1")
    return tmp_path / "challenges"


@pytest.fixture(scope="session")
def level1_only() -> Catalog:
    return Catalog((load_catalog().level("level1"),))
