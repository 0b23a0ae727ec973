"""Running the command line inside the test's own process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bughunt.cli import main as cli
from bughunt.content.catalog import load_catalog
from bughunt.content.level import Bug
from bughunt.workspace.injection import inject


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


class Player:
    """Somebody at the keyboard, in a folder."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.delenv("NO_COLOR", raising=False)

    def run(self, *arguments: str, where: Path | None = None) -> Ran:
        self._monkeypatch.chdir(where or self.folder)
        self._monkeypatch.setattr("sys.argv", ["bughunt", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = self._capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(int(ended.value.code or 0), captured.out, captured.err)

    @property
    def workspace(self) -> Path:
        return self.folder / "level1"

    def repair(self, bug: Bug, scratch: Path) -> None:
        """Undoes one bug by hand: its files as they are with all the others of its level still in."""
        level = next(level for level in load_catalog().levels if bug.id in {one.id for one in level.bugs})
        open_bugs = [
            other for other in level.bugs if other.id != bug.id and other.id not in self._repaired(level.id)
        ]
        target = scratch / f"without-{bug.id}"
        inject(target, open_bugs)
        for file in bug.files:
            (self.folder / level.id / file).write_bytes((target / file).read_bytes())
        self._repaired(level.id).add(bug.id)

    def _repaired(self, level: str) -> set[str]:
        return self.__dict__.setdefault(f"repaired_{level}", set())
