"""Does this machine have what the game needs, and does the judge work, both ways?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bughunt.content.catalog import Catalog
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError

_NEEDED = {
    "torch": "pip install 'torch>=2.8,<2.14'",
    "tiktoken": "pip install tiktoken",
    "rustbpe": "pip install rustbpe",
    "pytest": "pip install pytest",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do where it is not well."""

    what: str
    well: bool
    found: str
    remedy: str = ""


def examine(catalog: Catalog) -> Iterator[Finding]:
    """The machine first; then, if nothing is missing, the judge on the clean tree and on every bug."""
    machine = list(_examine_machine())
    yield from machine
    if all(finding.well for finding in machine):
        yield from _examine_judge(catalog)


def _examine_machine() -> Iterator[Finding]:
    python = platform.python_version()
    yield Finding("python", sys.version_info >= (3, 11), python, "The game needs Python 3.11 or newer.")
    git = shutil.which("git")
    yield Finding(
        "git", git is not None, git or "not on the PATH", "Install git: https://git-scm.com/downloads"
    )
    for module, remedy in _NEEDED.items():
        there = importlib.util.find_spec(module) is not None
        yield Finding(module, there, _version(module) if there else "not installed", remedy)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "there, version unknown"


def _examine_judge(catalog: Catalog) -> Iterator[Finding]:
    from bughunt.hunt.judging import new_seed
    from bughunt.judge import Judge
    from bughunt.workspace.injection import inject

    seed = new_seed()
    with Judge(tree_folder()) as judge, tempfile.TemporaryDirectory(prefix="bughunt-") as folder:
        for bug in (bug for level in catalog.levels for bug in level.bugs):
            clean = judge.judge(bug, tree_folder(), seed)
            well = clean.kind == "fixed"
            remedy = f"{clean.message} (seed {seed})"
            yield Finding(f"check {bug.id} on the clean tree", well, _says(clean.kind, well), remedy)
            if not well:
                continue
            forced = Path(folder) / bug.id
            try:
                inject(forced, [bug])
            except BughuntError as error:
                yield Finding(f"check {bug.id} with the bug in", False, "not injected", error.message)
                continue
            broken = judge.judge(bug, forced, seed)
            well = broken.kind == "broken"
            remedy = f"{broken.message} (seed {seed})"
            yield Finding(f"check {bug.id} with the bug in", well, _says(broken.kind, well), remedy)


def _says(verdict: str, well: bool) -> str:
    return f"says {verdict}" + (", as it should" if well else ", and should not")
