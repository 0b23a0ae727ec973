"""What the judge's own process needs of a bug's files, loaded once."""

from __future__ import annotations

import sys
from random import Random
from types import ModuleType
from typing import Any

from bughunt.content.level import Bug
from bughunt.judge.checker import Check
from bughunt.loading import load_module


class FilesUnusable(Exception):
    """A check or a measurement cannot be loaded, or draws no inputs."""


class BugFiles:
    """The check and the measurement of `bug`, as they were when they were loaded."""

    def __init__(self, bug: Bug) -> None:
        self.check = Check(bug.check)
        self._bug = bug
        self._measure = _load_measure(bug)

    @property
    def control(self) -> str:
        """The function that says what the clean tree does: `reference`, for a part of it that is quickly had,
        or else `measure` itself."""
        return "reference" if hasattr(self._measure, "reference") else "measure"

    def draw(self, seed: int | str) -> Any:
        """The inputs of one measurement: drawn by the bug's own `draw`, the same for the same seed."""
        return self._measure.draw(Random(f"{self._bug.id}/{seed}"))


def _load_measure(bug: Bug) -> ModuleType:
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return load_module(str(bug.measure), f"bughunt_draw_{bug.id.replace('.', '_')}")
    finally:
        sys.dont_write_bytecode = writes_bytecode
