"""What the tests of the challenges share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from bughunt.content.catalog import load_catalog
from bughunt.content.level import Bug

Build = Callable[..., Path]
Look = Callable[[Bug, Path, int], str]
NewSeeds = Callable[[int], list[int]]


@cache
def every_bug() -> list[Bug]:
    return [bug for level in load_catalog().levels for bug in level.bugs]
