"""The lab's two halves: where a player's code runs, no right answer is to be had."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import challenges_folder
from bughunt.lab import expected, measuring

EXPECTED = expected.__name__
MEASURES = [bug.measure for level in load_catalog().levels for bug in level.bugs]
MEASURING = [Path(path) for folder in measuring.__path__ for path in sorted(Path(folder).rglob("*.py"))]


def imported(source: str) -> Iterator[str]:
    """The full names of what a file imports, anywhere in it: modules, and what is taken from them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # No relative import leads out of the half it is in, unless it goes up: then it counts as one.
            package = "bughunt.lab." * (node.level > 1) + (node.module or "")
            yield from (f"{package.rstrip('.')}.{alias.name}" for alias in node.names)


def is_expected(name: str) -> bool:
    return name == EXPECTED or name.startswith(f"{EXPECTED}.")


@pytest.mark.parametrize(
    "source",
    [
        "import bughunt.lab.expected.streams",
        "from bughunt.lab import expected",
        "from bughunt.lab.expected import streams",
        "def measure(inputs):\n    from bughunt.lab.expected.gaps import gaps_by_position",
        "from ..expected import streams",
        "from .. import expected",
    ],
)
def test_an_import_is_seen(source: str) -> None:
    assert any(map(is_expected, imported(source)))


@pytest.mark.parametrize(
    "source", ["from bughunt.lab.measuring import streams", "from . import streams", "import torch"]
)
def test_others_are_no_matter(source: str) -> None:
    assert not any(map(is_expected, imported(source)))


@pytest.mark.parametrize(
    "path", [*MEASURES, *MEASURING], ids=lambda path: path.stem if path in MEASURING else None
)
def test_nothing_that_measures_imports_what_is_expected(path: Path) -> None:
    assert not [name for name in imported(path.read_text(encoding="utf-8")) if is_expected(name)]


def test_every_measurement_is_looked_at() -> None:
    assert sorted(MEASURES) == sorted(challenges_folder().glob("level*/*/measure.py"))
    assert len(MEASURING) > 1


def test_measurements_load_and_draw_without_what_is_expected() -> None:
    """All of them in one process, and all modules of the half that measures: neither torch is loaded."""
    modules = [module.name for module in pkgutil.walk_packages(measuring.__path__, f"{measuring.__name__}.")]
    code = f"""
import importlib, sys
from random import Random
from bughunt.loading import load_module
for name in {modules!r}:
    importlib.import_module(name)
for number, path in enumerate({list(map(str, MEASURES))!r}):
    load_module(path, f"measure_{{number}}").draw(Random(0))
print(*(name for name in sys.modules if name.startswith({EXPECTED!r}) or name.split(".")[0] == "torch"))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []


def test_what_is_expected_runs_without_torch() -> None:
    modules = [module.name for module in pkgutil.walk_packages(expected.__path__, f"{EXPECTED}.")]
    code = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
print(*(name for name in sys.modules if name.split(".")[0] in ("torch", "nanochat")))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert modules
    assert ran.stdout.split() == []


@pytest.mark.parametrize("half", [measuring, expected], ids=lambda half: half.__name__.rsplit(".", 1)[1])
def test_what_authors_may_call_is_documented(half: object) -> None:
    missing = []
    for info in pkgutil.walk_packages(half.__path__, f"{half.__name__}."):  # type: ignore[attr-defined]
        module = importlib.import_module(info.name)
        missing += [
            f"{info.name}.{name}"
            for name, one in vars(module).items()
            if callable(one)
            and not name.startswith("_")
            and getattr(one, "__module__", "") == info.name
            and not one.__doc__
        ]
    assert missing == []
