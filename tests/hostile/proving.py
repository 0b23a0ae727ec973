"""Where hostile programs are let loose one after the other: a judge, a workspace, and a field around it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from case import BUG_OF, Case
from cases import CASES
from field import Field
from prelude import prelude

from bughunt.confine.kernel import forbid_tracing
from bughunt.confine.syscalls import NUMBERS
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure import connection
from bughunt.measure.measurer import Measurer
from bughunt.measure.outcomes import Limits
from bughunt.workspace.injection import inject

LIMITS = Limits(seconds=6, memory=1 << 29, written=4 << 20, returned=1 << 20, processes=64)
SEED = 7
LEFT = "a process left running"


class Range:
    """A context manager. `game` is a copy of the installed game, from which all of it was imported."""

    def __init__(self, folder: Path, game: Path, column: str) -> None:
        forbid_tracing()
        self._column = column
        self._cases = {case.name: case for case in CASES}
        catalog = load_catalog()
        self._bugs = {id_: catalog.bug(id_) for id_ in BUG_OF.values()}
        for id_, bug in self._bugs.items():
            inject(folder / "ready" / id_, [bug])
        self._ready = folder / "ready"
        self._judges: dict[str, Judge] = {}
        self._fields: dict[str, Field] = {}
        self._folder, self._game = folder, game
        sys.path.append(str(folder / "packages"))
        connection._MARGIN_SECONDS = 4.0

    def __enter__(self) -> Range:
        return self

    def __exit__(self, *_: object) -> None:
        for judge in self._judges.values():
            judge.__exit__(None, None, None)
        for field in self._fields.values():
            field.close()

    def let_loose(self, case: str, mode: str) -> dict[str, Any]:
        planted, field = self._cases[case], self._field(mode)
        bug = self._bugs[BUG_OF[planted.file]]
        self._lay(planted, field, mode, bug.id)
        with _environment(planted, field.workspace):
            verdict = self._judges[mode].judge(bug, field.workspace, SEED)
        text = verdict.message + "\n" + verdict.detail
        reached = field.reached(text)
        if _running(field.targets()["mark"]):
            reached.add(LEFT)
        return {
            "verdict": verdict.kind,
            "message": verdict.message,
            "detail": verdict.detail,
            "reached": sorted(reached),
        }

    def _field(self, mode: str) -> Field:
        if mode not in self._judges:
            hidden = [*own_folders(), self._folder / mode / "hunt/.bughunt"]
            workers = 2 if mode == "fork" else 1
            measurer = Measurer(mode, confinement=self._column, workers=workers, hidden=hidden)
            self._judges[mode] = judge = Judge(tree_folder(), measurer, limits=LIMITS)
            self._fields[mode] = field = Field(self._folder / mode, self._game, measurer._folder)
            sys.path.insert(0, str(field.workspace))
            judge.prepare([self._bugs["1.1"], self._bugs["1.2"]], field.workspace)
        return self._fields[mode]

    def _lay(self, case: Case, field: Field, mode: str, bug: str) -> None:
        """The folder itself stays: a sandbox was made for it."""
        for path in field.workspace.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        shutil.copytree(self._ready / bug, field.workspace, dirs_exist_ok=True)
        self._judges[mode].prepare([self._bugs[bug]], field.workspace)
        field.renew()
        with (field.workspace / case.file).open("a", encoding="utf-8") as file:
            if case.code:
                file.write(prelude(field.targets(), NUMBERS))
            file.write(case.planted)
        for name, text in case.files.items():
            (field.workspace / name).write_text(text, encoding="utf-8")


@contextmanager
def _environment(case: Case, workspace: Path) -> Iterator[None]:
    saved = dict(os.environ)
    os.environ.update({name: value.format(workspace=workspace) for name, value in case.environment.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def _running(mark: str) -> bool:
    """Is a process that bears the mark still there? Those that were killed may take a moment to be gone."""
    for _ in range(50):
        found = False
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = path.read_text().partition("(")[2].rpartition(")")
            except OSError:
                continue
            found |= name == mark and rest.split()[0] not in "ZX"
        if not found:
            return False
        os.sched_yield()
    return True
