"""The files that lie beside a bug's card: is each there, and has it what the game calls?"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bughunt.content.level import Bug
from bughunt.content.reading import fault
from bughunt.content.tree import definitions
from bughunt.errors import BughuntError

_CALLED = {"measure.py": ("draw", "measure"), "probe.py": ("view",)}

# The head of one file's part of a unified diff, up to its first hunk.
_HEAD = re.compile(r"^--- (?P<old>[^\t\n]+).*\n\+\+\+ (?P<new>[^\t\n]+).*\n@@ ", re.MULTILINE)


def faults_of_files(bug: Bug) -> Iterator[BughuntError]:
    """Faults of the bug's patch, measurement, check and probe."""
    for path in (bug.patch, bug.measure, bug.check, bug.probe):
        if not path.is_file():
            yield fault(path, "the file is missing; each bug has one")
        elif path.suffix == ".py":
            yield from _faults_of_code(path)
        elif not changed_files(path):
            yield fault(
                path, "changes no file; it must be a unified diff with paths that begin with a/ and b/"
            )


def changed_files(patch: Path) -> set[str]:
    """The files that a patch changes, relative to the tree."""
    text = patch.read_text(encoding="utf-8", errors="replace")
    paths = {path for head in _HEAD.finditer(text) for path in head.groups()}
    return {path[2:] for path in paths if path.startswith(("a/", "b/"))}


def _faults_of_code(path: Path) -> Iterator[BughuntError]:
    try:
        source = path.read_text(encoding="utf-8")
        names = definitions(source) | _imported(source)
    except SyntaxError as error:
        yield fault(path, f"is no Python: {error.msg} in line {error.lineno}")
        return
    except (OSError, ValueError) as error:
        yield fault(path, f"cannot be read: {error}")
        return
    for name in _CALLED.get(path.name, ()):
        if name not in names:
            yield fault(path, f"the function `{name}` is missing, which the game calls")
    if path.name == "check.py" and not any(name.split(".")[-1].startswith("test_") for name in names):
        yield fault(path, "has no test; it must have a function whose name begins with `test_`")


def _imported(source: str) -> set[str]:
    statements = (node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name for node in statements for alias in node.names}
