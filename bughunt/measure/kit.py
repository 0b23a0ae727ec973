"""The half of the game that measures, copied to a folder where there is nothing else of it.

Where the player's code runs, `bughunt` is this: no right answer, no check, no clean tree.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from threading import Lock

import bughunt

_MODULES = ("__init__.py", "errors.py", "loading.py", "search_path.py", "lab/__init__.py")
_FOLDERS = ("confine", "disk", "measure", "lab/measuring")


class Kit:
    """The copy in the new folder `folder`, and the bugs' measurements beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._measurements: dict[Path, Path] = {}
        self._taking = Lock()
        source, target = Path(bughunt.__file__).parent, folder / "bughunt"
        for name in _FOLDERS:
            # With the compiled files and the times they go by, or each new process would compile anew.
            shutil.copytree(source / name, target / name)
        for name in _MODULES:
            shutil.copy2(source / name, target / name)

    def take(self, measure: Path) -> Path:
        """The copy of a bug's `measure.py`, made when it is first asked for."""
        with self._taking:
            if measure not in self._measurements:
                copy = self.folder / "measurements" / str(len(self._measurements)) / measure.name
                copy.parent.mkdir(parents=True)
                shutil.copyfile(measure, copy)
                self._measurements[measure] = copy
            return self._measurements[measure]
