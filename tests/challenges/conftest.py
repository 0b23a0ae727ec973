"""The promises about checks, over every bug of the catalog: places to inject bugs and fixes into."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from proof import Build

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.measure.outcomes import Limits
from bughunt.workspace.git import apply_patch
from bughunt.workspace.injection import inject


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """One judge for all tests: its server imports torch once. A fix that hangs is not waited for as long."""
    with Judge(tree_folder(), limits=Limits(seconds=10.0)) as judge:
        yield judge


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Makes a tree with bugs in it and patches on top."""
    numbers = itertools.count()

    def build(bugs: Sequence[Bug], patches: Sequence[Path] = ()) -> Path:
        target = tmp_path / f"tree{next(numbers)}"
        inject(target, bugs)
        for patch in patches:
            apply_patch(target, patch)
        return target

    return build
