"""Edits during a reset stop it, and a command that was ended in the middle is finished by the next."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from editing import LOADER, TOKENIZER, delete, edit, everything, tree_of

from bughunt.content.catalog import Catalog
from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt
from bughunt.workspace import laying
from bughunt.workspace import workspace as workspace_module


def test_an_edit_made_during_the_reset_stops_it(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The editor saves between the rescue and the overwriting."""
    edit(workspace)
    lay = workspace_module.lay

    def save_first(*arguments: object) -> None:
        (workspace / TOKENIZER).write_text("saved just now\n")
        (workspace / "new.txt").write_text("made just now\n")
        lay(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(workspace_module, "lay", save_first)
    with pytest.raises(BughuntError) as caught:
        hunt.reset(hunt.reset_plan(None))
    assert "changed at this moment" in caught.value.message
    monkeypatch.undo()
    assert (workspace / TOKENIZER).read_text() == "saved just now\n"
    assert (workspace / "new.txt").read_text() == "made just now\n"
    hunt.reset(hunt.reset_plan(None))
    hunt.restore(None)
    assert (workspace / TOKENIZER).read_text() == "saved just now\n"
    assert (workspace / "new.txt").read_text() == "made just now\n"


def test_a_file_recreated_during_the_reset_stops_it(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(workspace)
    source_files = laying.source_files

    def recreate_after_listing(*arguments: Any, **options: Any) -> dict[str, Path]:
        found = source_files(*arguments, **options)
        (workspace / LOADER).write_text("back again\n")
        return found

    monkeypatch.setattr(laying, "source_files", recreate_after_listing)
    with pytest.raises(BughuntError):
        hunt.reset(hunt.reset_plan(None))
    assert (workspace / LOADER).read_text() == "back again\n"


class Killed(BaseException):
    """Stands for SIGKILL: nothing handles it."""


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        ("reset of 1.2", 0),
        *itertools.product(["reset", "fresh start", "restore of 001-level1"], range(4)),
    ],
)
def test_cut_short(
    what: str, steps: int, hunt: Hunt, workspace: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next command says what was cut short and which command finishes it; then nothing is lost."""
    start = tree_of(workspace)
    everything(workspace)
    mine = tree_of(workspace)
    if what.startswith("restore"):
        hunt.reset(hunt.reset_plan(None))
    commands: dict[str, Callable[[Hunt], object]] = {
        "reset": lambda hunt: hunt.reset(hunt.reset_plan(None)),
        "reset of 1.2": lambda hunt: hunt.reset(hunt.reset_plan("1.2")),
        "fresh start": lambda hunt: hunt.start("level1", fresh=True),
        "restore of 001-level1": lambda hunt: hunt.restore("001-level1"),
    }
    left = iter(range(steps))
    copy = laying.copy_atomically

    def copy_until_killed(source: Path, target: Path, **options: bool) -> None:
        if next(left, None) is None:
            raise Killed
        copy(source, target, **options)

    monkeypatch.setattr(laying, "copy_atomically", copy_until_killed)
    with pytest.raises(Killed):
        commands[what](hunt)
    monkeypatch.undo()

    later = Hunt(hunt.folder, level1_only)
    later.state()
    [notice] = later.store.notices
    assert f"a {what} was cut short" in notice
    with pytest.raises(BughuntError) as caught:
        later.check([], seed=1)
    assert caught.value.message in notice
    if what != "reset of 1.2":
        with pytest.raises(BughuntError):
            later.reset(later.reset_plan("1.2"))
    commands[what](later)
    assert tree_of(workspace) == (
        mine
        if what.startswith("restore")
        else mine | {LOADER: start[LOADER]}
        if what == "reset of 1.2"
        else start
    )
    assert Hunt(hunt.folder, level1_only).state()
    if not what.startswith("restore"):
        later.restore(None)
        assert tree_of(workspace) == mine
    assert not (hunt.folder / ".bughunt" / "level1.overwriting").exists()


def test_what_a_kill_left_half_written_goes_with_the_next_command(hunt: Hunt, workspace: Path) -> None:
    """In a folder that is the level's, and in one that nothing else is in any more."""
    start = tree_of(workspace)
    for folder in ("nanochat", "notes"):
        (workspace / folder).mkdir(exist_ok=True)
        (workspace / folder / ".mine.py.ab12cd34.bughunt-part").write_text("half")
    hunt.reset(hunt.reset_plan(None))
    assert tree_of(workspace) == start
