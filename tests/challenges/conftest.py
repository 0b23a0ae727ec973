"""The promises about checks, over every bug of the catalog: places to inject bugs and fixes into."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from proof import Build, Look, every_bug

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.judge import Judge
from bughunt.judge.checker import Check
from bughunt.measure.outcomes import Limits, Measurement
from bughunt.workspace.injection import inject
from bughunt.workspace.patches import apply_patch


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """One judge for all tests: its server imports what bugs need once, optimizers of a fix's own included.

    A fix that hangs is not waited for as long as a player's is.
    """
    with Judge(tree_folder(), limits=Limits(seconds=20.0)) as judge:
        judge.prepare(every_bug())
        yield judge


@pytest.fixture(scope="session")
def look(judge: Judge) -> Look:
    """What a check says of one measurement, `fixed` or `broken`. For a verdict `fixed` it takes two."""
    check_of = cache(Check)

    def look(bug: Bug, tree: Path, seed: int) -> str:
        clean = judge.clean(bug, seed)
        inputs, outcome = judge.measure(bug, tree, seed)
        assert isinstance(outcome, Measurement), (bug.id, seed, outcome)
        result = check_of(bug.check).run(inputs, outcome.data, clean)
        assert result.kind != "error", (bug.id, seed, result)
        return "fixed" if result.kind == "passed" else "broken"

    return look


@pytest.fixture(scope="session")
def tree_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[Bug]], Path]:
    """Trees with bugs in them, each made once: for reading and measuring, not for changing."""
    folder = tmp_path_factory.mktemp("injected")

    @cache
    def make(names: tuple[str, ...]) -> Path:
        target = folder / ("-".join(names) or "clean")
        inject(target, [bug for name in names for bug in every_bug() if bug.id == name])
        return target

    return lambda bugs: make(tuple(bug.id for bug in bugs))


@pytest.fixture
def build(tmp_path: Path, tree_with: Callable[[Sequence[Bug]], Path]) -> Build:
    """Makes a tree with bugs in it and patches on top."""
    numbers = itertools.count()

    def build(bugs: Sequence[Bug], patches: Sequence[Path] = ()) -> Path:
        tree = tree_with(bugs)
        if not patches:
            return tree
        target = tmp_path / f"tree{next(numbers)}"
        shutil.copytree(tree, target, ignore=shutil.ignore_patterns("__pycache__", "runs"))
        for patch in patches:
            apply_patch(target, patch)
        return target

    return build
