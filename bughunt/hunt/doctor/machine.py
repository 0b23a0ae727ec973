"""Is everything installed that the game says it needs, in versions that it takes?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
import shutil
from collections.abc import Iterator

from bughunt.hunt.doctor.finding import Finding

_GAME = "bughunt"


def examine_machine() -> Iterator[Finding]:
    """Python, git, and each requirement of the installed game."""
    try:
        wanted_python = importlib.metadata.metadata(_GAME)["Requires-Python"] or ""
        requirements = importlib.metadata.requires(_GAME) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding(_GAME, False, "not installed", "Install it: pip install bughunt")
        return
    python = platform.python_version()
    yield Finding("python", _fits(python, wanted_python), python, f"The game needs Python {wanted_python}.")
    git = shutil.which("git")
    yield Finding(
        "git", git is not None, git or "not on the PATH", "Install git: https://git-scm.com/downloads"
    )
    for requirement in requirements:
        if ";" not in requirement:
            yield _examine_requirement(requirement)


def _examine_requirement(requirement: str) -> Finding:
    """Looks for what a requirement such as `torch<2.14,>=2.8` asks for."""
    name, versions = _parts(requirement)
    remedy = f"pip install '{requirement}'"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        there = importlib.util.find_spec(name.replace("-", "_")) is not None
        return Finding(name, there, "there, version unknown" if there else "not installed", remedy)
    if not _fits(version, versions):
        return Finding(name, False, f"{version}, but the game needs {versions}", remedy)
    return Finding(name, True, version, remedy)


def _parts(requirement: str) -> tuple[str, str]:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return match[0], requirement[match.end() :].strip()


def _fits(version: str, wanted: str) -> bool:
    try:
        # pytest needs it, so it is there unless pytest is missing, which is found out by itself.
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return True
    return SpecifierSet(wanted).contains(version, prereleases=True)
