"""Does the code that is measured make use of the game's own files, the clean tree among them?

Noticed where it can be: a hook of Python's own tells of every file that is opened, and no Python code takes
it back (https://peps.python.org/pep-0578/). What gets round it is kept from reading where the system can.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# Of each of these events the first argument is a path; in those, it may stand anywhere in a command. Listing
# Python's packages lists the game's folder, too: names are no code.
_PATHS = frozenset({"open", "os.rename", "os.link", "os.symlink"})
_COMMANDS = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn"})


class Lookout:
    """Notes what is opened below the paths `hidden`, and not below those `shown`, from now on."""

    def __init__(self, hidden: Sequence[str], shown: Sequence[str], workspace: str) -> None:
        self.noticed = False
        self._hidden = tuple(os.path.realpath(path) + os.sep for path in hidden)
        self._shown = tuple(os.path.realpath(path) + os.sep for path in shown)
        self._workspace = os.path.realpath(workspace) + os.sep
        self._packages = _packages(Path(workspace)) - sys.modules.keys()
        self._looking = False
        if self._hidden:
            sys.addaudithook(self._look)

    def borrowed(self) -> bool:
        """Was anything noticed, or is a package of the workspace one from elsewhere?"""
        return self.noticed or any(
            name.split(".")[0] in self._packages and self._is_elsewhere(getattr(module, "__file__", None))
            for name, module in list(sys.modules.items())
        )

    def _look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.noticed or self._looking or event not in _PATHS | _COMMANDS:
            return
        self._looking = True
        with suppress(Exception):
            self.noticed = self._is_hidden(arguments[0]) if event in _PATHS else self._names_hidden(arguments)
        self._looking = False

    def _is_hidden(self, path: object) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        place = os.path.realpath(os.fsdecode(path)) + os.sep
        return place.startswith(self._hidden) and not place.startswith(self._shown)

    def _names_hidden(self, command: tuple[Any, ...]) -> bool:
        text = repr(command)
        for path in self._shown:
            text = text.replace(path, "")
        return any(path in text for path in self._hidden)

    def _is_elsewhere(self, file: object) -> bool:
        return isinstance(file, str) and not os.path.realpath(file).startswith(self._workspace)


def _packages(workspace: Path) -> set[str]:
    """The names under which the workspace's folders with code in them are imported."""
    with suppress(OSError):
        folders = [path for path in workspace.iterdir() if path.is_dir() and any(path.glob("*.py"))]
        return {path.name for path in folders if path.name.isidentifier()} - sys.stdlib_module_names
    return set()
