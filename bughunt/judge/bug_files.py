"""What the judge's own process needs of a bug's files, loaded once: a workspace's code may change them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from bughunt.content.level import Bug
from bughunt.judge.cause import Defect
from bughunt.judge.checker import Check
from bughunt.loading import load_module

OWN_FILES = "The judge could not do its work here: its own files cannot be used."


class FilesUnusable(Exception):
    """A check or a measurement cannot be loaded, or draws no inputs."""


def unusable(error: Exception) -> FilesUnusable:
    """Says why they cannot be used."""
    return FilesUnusable(f"{type(error).__name__}: {error}")


class BugFiles:
    """The check, the measurement and the defect of `bug`, as they were when they were loaded.

    The check has run once by then, and inputs were drawn: what that imports is imported.
    """

    def __init__(self, bug: Bug) -> None:
        self.check = Check(bug.check)
        self.defect = Defect(bug.patch)
        self._bug = bug
        self._measure = load_measure(bug.measure, bug.id)
        self.check.run(None, None)

    @property
    def control(self) -> str:
        """The function that says what the clean tree does: `reference`, for a part of it that is quickly had,
        or else `measure` itself."""
        return "reference" if hasattr(self._measure, "reference") else "measure"

    def draw(self, seed: int | str) -> Any:
        """The inputs of one measurement: drawn by the bug's own `draw`, the same for the same seed."""
        return self._measure.draw(Random(f"{self._bug.id}/{seed}"))


def load_measure(measure: Path, name: str) -> ModuleType:
    """The module that draws inputs; nothing of a tree is imported by it before it measures."""
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return load_module(str(measure), "bughunt_draw_" + re.sub(r"\W", "_", name))
    finally:
        sys.dont_write_bytecode = writes_bytecode
