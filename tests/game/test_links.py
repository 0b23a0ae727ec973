"""A link in the place of something of the hunt's own is refused, and nothing behind it changes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import Player
from editing import TOKENIZER, tree_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights that few have there")

WRITING = ("reset", "reset 1.1", "restore", "start level1 --fresh", "start level1", "start level2", "hint")


@pytest.fixture
def played(started: Player) -> Player:
    """With an edit in the workspace, and a rescue."""
    (started.workspace / TOKENIZER).write_text("first")
    assert started.run("reset").code == 0
    (started.workspace / TOKENIZER).write_text("mine")
    return started


def everything(folder: Path) -> Mapping[str, object]:
    return {
        name: (text, (folder / name).lstat().st_ino) for name, text in tree_of(folder, without=()).items()
    }


def refused(player: Player, command: str, named: Path) -> None:
    ran = player.run(*command.split())
    said = "".join(ran.err.split())
    assert ran.code == 2, (command, ran)
    assert "".join(str(named).split()) in said and "link" in said, (command, ran.err)
    assert "alink" in said, (command, ran.err)


def moved_behind_a_link(path: Path, elsewhere: Path) -> Path:
    elsewhere.parent.mkdir(exist_ok=True)
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    return elsewhere


@pytest.mark.parametrize("command", [command for command in WRITING if "level2" not in command][:-1])
def test_a_workspace(command: str, played: Player, tmp_path: Path) -> None:
    moved_behind_a_link(played.workspace, tmp_path / "behind" / "it")
    before = everything(tmp_path / "behind")
    refused(played, command, played.workspace)
    assert everything(tmp_path / "behind") == before


@pytest.mark.parametrize("target", ["nowhere", "level1", "..", "/"])
def test_a_workspace_that_leads_anywhere(target: str, played: Player, tmp_path: Path) -> None:
    """Nowhere, to itself, to the hunt, to the root of all."""
    played.workspace.rename(tmp_path / "moved")
    played.workspace.symlink_to(target)
    for command in WRITING[:5]:
        refused(played, command, played.workspace)
    assert played.run("status").code == 0
    assert played.workspace.is_symlink()
    shutil.rmtree(played.folder / ".bughunt")
    refused(played, "start level1", played.workspace)


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize(
    "name", [".bughunt", "log.jsonl", "state.json", "state.previous.json", "lock", "rescues", "scratch"]
)
def test_the_hunts_own(name: str, command: str, played: Player, tmp_path: Path) -> None:
    """The log, say: whoever follows the link appends to another file."""
    path = played.folder / ".bughunt" / name if name != ".bughunt" else played.folder / ".bughunt"
    behind = tmp_path / "behind" / "it"
    if path.exists():
        moved_behind_a_link(path, behind)
    else:
        behind.mkdir(parents=True)
        (behind / "theirs").mkdir()
        (behind / "theirs" / "file").write_text("theirs")
        path.symlink_to(behind)
    before, mine = everything(tmp_path / "behind"), tree_of(played.workspace)
    reads_only = {"rescues": ("start level1", "start level2", "hint", "restore"), "scratch": WRITING[4::2]}
    if command in reads_only.get(name, ()):
        assert played.run(*command.split()).code in (0, 2)
    else:
        refused(played, command, path)
        assert tree_of(played.workspace) == mine
    assert everything(tmp_path / "behind") == before
    assert path.is_symlink()


@pytest.mark.parametrize("name", ["log.jsonl", "state.json", "lock", "level1.overwriting"])
def test_a_link_of_the_hunts_own_to_nowhere_makes_nothing_there(
    name: str, played: Player, tmp_path: Path
) -> None:
    path = played.folder / ".bughunt" / name
    path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "made")
    refused(played, "reset", path)
    assert not (tmp_path / "made").exists()


def test_a_verdict_is_shown_where_the_log_is_a_link(played: Player, tmp_path: Path) -> None:
    """What the hunt is read from may lie elsewhere; nothing is written there."""
    behind = moved_behind_a_link(played.folder / ".bughunt", tmp_path / "behind" / "it")
    before = everything(behind)
    ran = played.run("check", "1.1", "--json")
    assert ran.code == 1
    assert ran.document["verdicts"][0]["verdict"] in ("broken", "crashed")
    assert "was not recorded" in ran.document["notices"][0]
    assert everything(behind) == before


def test_a_folder_of_the_workspace(played: Player, tmp_path: Path) -> None:
    """A part of it is not put back; all of it makes the link go, and leaves what is behind alone."""
    folder = played.workspace / "nanochat"
    behind = moved_behind_a_link(folder, tmp_path / "behind" / "nanochat")
    before = everything(behind)
    refused(played, "reset 1.1", folder)
    assert everything(behind) == before
    assert played.run("reset").code == 0
    assert not folder.is_symlink()
    assert played.run("restore").code == 0
    assert folder.readlink() == behind
    assert everything(behind) == before


def test_a_link_where_a_rescue_wants_a_folder_of_the_players(played: Player, tmp_path: Path) -> None:
    deep = played.workspace / "data" / "mine"
    deep.mkdir(parents=True)
    (deep / "helper.py").write_text("mine")
    assert played.run("reset").code == 0
    behind = tmp_path / "behind"
    behind.mkdir()
    (behind / "helper.py").write_text("theirs")
    deep.parent.mkdir()
    deep.symlink_to(behind)
    before = everything(behind)
    assert played.run("restore").code == 0
    assert everything(behind) == before
    assert (deep / "helper.py").read_text() == "mine"
    assert played.run("restore").code == 0
    assert deep.readlink() == behind


@pytest.mark.parametrize("command", ["reset", "start level1 --fresh"])
def test_a_git_folder(command: str, played: Player, tmp_path: Path) -> None:
    behind = moved_behind_a_link(played.workspace / ".git", tmp_path / "behind" / "git")
    before = everything(behind)
    refused(played, command, played.workspace / ".git")
    assert played.run("reset", "1.1").code == 0
    assert everything(behind) == before


def test_a_hunt_that_is_reached_through_a_link_is_one_like_any_other(played: Player, tmp_path: Path) -> None:
    way = tmp_path / "way"
    way.symlink_to(played.folder)
    for command in WRITING:
        for where in (way, way / "level1"):
            assert played.run(*command.split(), where=where).code == 0, command


def test_the_doctor_writes_nothing_behind_a_link(
    started: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bughunt.hunt.doctor.place import examine_place

    behind = moved_behind_a_link(started.workspace, tmp_path / "behind" / "it")
    made: list[str] = []
    mkdir = os.mkdir

    def noted(path: str, *arguments: int, **options: int) -> None:
        made.append(str(Path(path).parent.resolve()))
        mkdir(path, *arguments, **options)

    monkeypatch.setattr("os.mkdir", noted)
    faults = [finding for finding in examine_place(started.folder) if not finding.well]
    assert [finding.what for finding in faults] == ["in level1"]
    assert made and str(behind) not in made
