"""A folder's name is taken literally: whatever it is, git works there and nowhere else.

Each hunt here lies in a folder with a name that a shell, git or a library would make something else of, and
is started with decoys around: the player's own clean code in the current folder, and repositories above.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from command_line import Player

from bughunt.content.catalog import Catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.errors import BughuntError
from bughunt.hunt.doctor import Finding, examine
from bughunt.workspace.git import make_repository
from bughunt.workspace.injection import inject

NAMES = ("$HOME", "$USER", "${PWD}", "~", "~root", "a*b", "[ab]?", "-x", "%TEMP%", "two\nlines", "a:b", "a;b")
if sys.platform == "win32":
    NAMES = ("$HOME", "~", "-x", "%TEMP%", "a;b")


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of play: with a copy of the player's own in it, in a repository, and in another one's."""
    for name in ("USER", "TEMP"):
        monkeypatch.setenv(name, "player")
    folder = tmp_path / "outer" / request.param
    shutil.copytree(tree_folder() / "nanochat", folder / "nanochat")
    shutil.copytree(tree_folder() / "nanochat", tmp_path / "outer" / "nanochat")
    for repository in (tmp_path / "outer", folder):
        subprocess.run(["git", "init", "-q", "."], cwd=repository, check=True)
    return folder


def contents(folder: Path, without: tuple[str, ...] = ()) -> Mapping[str, object]:
    """Everything below `folder`, byte by byte, but what lies in the folders `without`."""
    found: dict[str, object] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if str(Path(parent) / name) not in without]
        for name in [*folders, *names]:
            path = Path(parent) / name
            found[str(path)] = path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
    return found


@pytest.mark.few(4)
@pytest.mark.parametrize("place", NAMES, indirect=True, ids=repr)
def test_a_whole_game_touches_nothing_outside_the_hunt(
    place: Path, tmp_path: Path, level1: Level, player: Player
) -> None:
    ours = (str(place / ".bughunt"), str(place / "level1"))
    before = contents(tmp_path, ours)

    def play(*arguments: str) -> None:
        ran = player.run(*arguments, where=place)
        assert ran.code == 0, (arguments, ran)
        assert contents(tmp_path, ours) == before, arguments

    play("start", "level1")
    for bug in level1.bugs:
        for file in bug.files:
            assert (place / "level1" / file).read_bytes() != (tree_folder() / file).read_bytes()
    edited = place / "level1" / level1.bugs[0].files[0]
    start = edited.read_bytes()
    edited.write_text("mine\n")
    play("reset", "1.1")
    assert edited.read_bytes() == start
    play("restore")
    assert edited.read_text() == "mine\n"
    play("reset")
    assert edited.read_bytes() == start
    play("start", "level1", "--fresh")
    play("restore", "--list")


@pytest.mark.few(1)
@pytest.mark.parametrize("place", ["$HOME", "two\nlines"], indirect=True, ids=repr)
def test_a_doctor_called_in_a_workspace_undoes_nothing(
    place: Path, tmp_path: Path, level1: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current folder is a repaired tree, and the temporary folder has a name that could be expanded."""
    temporary = tmp_path / "temporary" / place.name
    temporary.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.chdir(place)
    before = contents(tmp_path, (str(temporary),))
    findings = [one for one in examine(Catalog((level1,)), place) if isinstance(one, Finding)]
    assert [finding for finding in findings if not finding.well] == []
    assert contents(tmp_path, (str(temporary),)) == before


def test_where_git_sees_another_folder_nothing_is_committed(tmp_path: Path) -> None:
    """The folder's own `.git` leads to the repository around it, which says that its files are elsewhere."""
    outer = tmp_path / "outer"
    (outer / "inner").mkdir(parents=True)
    (outer / "inner" / "file").write_text("mine")
    subprocess.run(["git", "init", "-q", "."], cwd=outer, check=True)
    subprocess.run(["git", "config", "core.worktree", str(outer)], cwd=outer, check=True)
    (outer / "inner" / ".git").write_text(f"gitdir: {outer / '.git'}\n")
    before = contents(tmp_path)
    with pytest.raises(BughuntError, match="nothing was changed"):
        make_repository(outer / "inner", "A case")
    assert contents(tmp_path) == before


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(tree_folder() / "nanochat", tmp_path / "here" / "nanochat")
    monkeypatch.chdir(tmp_path / "here")
    before = contents(tmp_path)
    with pytest.raises(BughuntError):
        make_repository(tmp_path / "gone", "A case")
    assert contents(tmp_path) == before


def test_gits_environment_is_given_to_the_call_alone(
    tmp_path: Path, bug: Bug, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other threads (the watch has some) must never see the process's environment without its variables."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    real, seen = subprocess.run, []

    def run(*arguments: object, **options: object) -> object:
        seen.append(dict(os.environ))
        return real(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", run)
    before = dict(os.environ)
    inject(tmp_path / "tree", [bug])
    make_repository(tmp_path / "tree", "A case")
    assert seen and all(environment == before for environment in seen)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for git is a shell script")
def test_a_disk_on_which_every_file_is_somebody_elses(
    player: Player, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on exFAT, CIFS or a volume mounted into a container: git is told to take it so."""
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(f'#!/bin/sh\nGIT_TEST_ASSUME_DIFFERENT_OWNER=1 exec "{shutil.which("git")}" "$@"\n')
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    assert player.run("start", "level1").code == 0
    (player.workspace / "nanochat" / "gpt.py").write_text("mine\n")
    assert player.run("reset").code == 0
    assert player.run("restore").code == 0
