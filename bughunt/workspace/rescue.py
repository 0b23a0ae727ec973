"""Rescues: saved copies of a player's edits, made before anything overwrites them.

.bughunt/rescues/<id>/rescue.json    what, when and why
.bughunt/rescues/<id>/files/…        each saved file; one that was deleted is listed and not there
.bughunt/rescues/<id>/history        the workspace's .git, where the player had a hand in it

A rescue of a whole workspace holds all of its files, so that it can be brought back by a later version of the
game; of a part, just the files that the part is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bughunt.disk.durable import make_durable
from bughunt.disk.files import (
    copy_new,
    naming,
    remove_folder,
    same_contents,
    sync_folder,
    write_atomically,
)
from bughunt.disk.folders import move_folder
from bughunt.disk.kinds import expect, read_own
from bughunt.errors import BughuntError
from bughunt.workspace.history import copy_history, same_history
from bughunt.workspace.scope import files_of


@dataclass(frozen=True)
class Rescue:
    """`whole` says whether it stands for the entire workspace or only for the listed files.

    `files` are those that differed from the start of the level, deleted ones included.
    """

    id: str
    level: str
    made: str
    reason: str
    whole: bool
    files: tuple[str, ...]
    folder: Path
    progress: dict[str, Any]

    def card(self) -> dict[str, Any]:
        """What there is to say of it, as JSON-ready data."""
        return {
            "rescue": self.id,
            "level": self.level,
            "made": self.made,
            "reason": self.reason,
            "whole": self.whole,
            "files": list(self.files),
            "folder": str(self.folder),
        }

    @property
    def saved(self) -> Path:
        return self.folder / "files"

    @property
    def history(self) -> Path | None:
        path = self.folder / "history"
        return path if path.exists() else None

    def holds(self, files: Mapping[str, Path | None], whole: bool, history: Path | None) -> bool:
        """Does it hold these files, as they are, and this history, if any, already?"""
        saved = files_of(self.saved)
        return (
            self.whole == whole
            and all(same_contents(path, saved.get(file)) for file, path in files.items())
            and (history is None or same_history(history, self.history))
        )


class Rescues:
    """All the rescues of a hunt, in the folder `.bughunt/rescues`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Rescue]:
        """Every complete rescue, the oldest first."""
        if not self._folder.is_dir():
            return []
        found = [_load(path) for path in self._folder.iterdir() if not path.name.startswith(".")]
        return sorted(
            (rescue for rescue in found if rescue is not None), key=lambda rescue: _number(rescue.id)
        )

    def unreadable(self) -> list[Path]:
        """The folders of rescues whose card cannot be read: their files are there all the same."""
        if not self._folder.is_dir():
            return []
        folders = [path for path in self._folder.iterdir() if not path.name.startswith(".") and path.is_dir()]
        return sorted(path for path in folders if _load(path) is None)

    def find(self, name: str | None) -> Rescue:
        """The rescue called `name`, or the newest. Raises BughuntError when there is none."""
        rescues, unreadable = self.all(), self.unreadable()
        for folder in unreadable:
            if name == folder.name or (name is None and not rescues):
                raise BughuntError(
                    f"The rescue {folder.name} cannot be brought back: its rescue.json cannot be read.",
                    f"The files that it kept are in {folder / 'files'}: copy them by hand.",
                )
        if not rescues:
            raise BughuntError(
                "Nothing has been set aside in this hunt.", "A reset or a fresh start does that."
            )
        if name is None:
            return rescues[-1]
        for rescue in rescues:
            if rescue.id == name:
                return rescue
        raise BughuntError(f"There is no rescue “{name}”.", "Run `bughunt restore --list`.")

    def save(
        self,
        level: str,
        files: Mapping[str, Path],
        *,
        differing: Iterable[str],
        reason: str,
        whole: bool,
        history: Path | None,
        progress: dict[str, Any],
    ) -> Rescue:
        """Copies `files` (name to place) and the git folder `history` aside.

        The rescue appears under its name only when it is complete. The caller holds the hunt's lock.
        """
        expect(self._folder, "folder")
        made = datetime.now(UTC)
        name = f"{self._next_number():03}-{level}"
        building = self._folder / f".{name}"
        remove_folder(building)
        saved = building / "files"
        with naming(saved):
            saved.mkdir(parents=True)
            for folder in {(saved / file).parent for file in files}:
                folder.mkdir(parents=True, exist_ok=True)
        for file, source in files.items():
            copy_new(source, saved / file)
        if history is not None:
            copy_history(history, building / "history")
        make_durable([path for path in building.rglob("*") if not path.is_dir()], building)
        card = {
            "level": level,
            "made": made.isoformat(timespec="seconds"),
            "reason": reason,
            "whole": whole,
            "files": sorted(differing),
            "progress": progress,
        }
        write_atomically(building / "rescue.json", json.dumps(card, indent=1).encode())
        move_folder(building, self._folder / name, last="rescue.json")
        sync_folder(self._folder)
        rescue = _load(self._folder / name)
        assert rescue is not None
        return rescue

    def _next_number(self) -> int:
        names = [path.name for path in self._folder.iterdir()] if self._folder.is_dir() else []
        return 1 + max((_number(name) for name in names), default=0)


def _number(name: str) -> int:
    """Rescues are counted: no clock says which one is the newest."""
    digits = name.split("-")[0]
    return int(digits) if digits.isdecimal() else 0


def _load(folder: Path) -> Rescue | None:
    try:
        card = json.loads(read_own(folder / "rescue.json"))
        return Rescue(
            id=folder.name,
            level=str(card["level"]),
            made=str(card["made"]),
            reason=str(card["reason"]),
            whole=bool(card["whole"]),
            files=tuple(str(file) for file in card["files"]),
            folder=folder,
            progress=dict(card["progress"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
