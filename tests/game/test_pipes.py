"""A pipe, a socket or a folder in the place of one of the game's files: a sentence, and no endless wait."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Player
from editing import TOKENIZER, edit, tree_of

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")

COMMANDS = (
    "",
    "status",
    "status --json",
    "levels",
    "hint",
    "hint --again",
    "solution 1.1",
    "debrief",
    "restore --list",
    "reset",
    "reset 1.1",
    "restore",
    "start level1",
    "start level1 --fresh",
    "start level2",
    "--complete",
)

_PLAY = """
import contextlib, io, json, os, sys
from pathlib import Path

from bughunt.cli import completion
from bughunt.cli.main import run

os.chdir(sys.argv[1])
told = {}
for command in sys.argv[2:]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(command.split()) if command != "--complete" else completion.bugs("").count(None)
    told[command] = [code, said.getvalue()]
sys.__stdout__.write(json.dumps(told))
"""

# A command that waits for a pipe would wait for ever: this only ends the test.
_PATIENCE_SECONDS = 60


def play(folder: Path, *commands: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _PLAY, str(folder), *commands],
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE_SECONDS,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def put(kind: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "file").touch()
    elif kind == "socket":
        # A socket's address is short.
        monkeypatch.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)


@pytest.mark.few(5)
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *itertools.product(
            ("state.json", "log.jsonl", "lock", "level1.overwriting"), ("pipe", "socket", "folder")
        ),
        *itertools.product(("state.previous.json", "rescues", "scratch", "errors"), ("pipe", "folder")),
    ],
)
def test_the_hunts_own(name: str, kind: str, started: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(started.workspace)
    assert started.run("reset").code == 0
    path = started.folder / ".bughunt" / name
    edit(started.workspace)
    mine = tree_of(started.workspace)
    put(kind, path, monkeypatch)
    told = play(started.folder, *COMMANDS)
    for command, (code, said) in told.items():
        assert code in (0, 1, 2), (command, said)
        assert "nobody foresaw" not in said, (command, said)
    if kind != "folder" or name not in ("rescues", "scratch", "errors"):
        wanted = {"rescues": ("reset",), "scratch": ("reset", "start level1 --fresh"), "errors": ()}
        for command in wanted.get(name, ("reset", "hint", "start level1 --fresh")):
            code, said = told[command]
            flat = "".join(said.split())
            assert code == 2 and f"isa{kind},andbughuntkeeps" in flat, (command, said)
            assert "".join(str(path).split()) in flat, (command, said)
        if name not in ("errors",):
            assert tree_of(started.workspace) == mine


def test_an_older_state_and_no_newer_one(started: Player) -> None:
    """The copy before the last change is read only where the state itself is missing."""
    folder = started.folder / ".bughunt"
    (folder / "state.json").unlink()
    (folder / "state.previous.json").unlink(missing_ok=True)
    os.mkfifo(folder / "state.previous.json")
    for code, said in play(started.folder, "status", "hint", "--complete").values():
        assert code in (0, 2) and (code == 0 or "is a pipe" in said.replace("\n", " ")), said


@pytest.mark.parametrize("name", ["rescue.json", "files", "history"])
def test_in_a_rescue(name: str, started: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(started.workspace)
    (started.workspace / ".git" / "mine").touch()
    assert started.run("reset").code == 0
    put("pipe", started.folder / ".bughunt" / "rescues" / "001-level1" / name, monkeypatch)
    for code, said in play(started.folder, "restore --list", "restore", "reset", "status").values():
        assert code in (0, 2) and "nobody foresaw" not in said, said


@pytest.mark.few(3)
@pytest.mark.parametrize("kind", ["pipe", "socket"])
@pytest.mark.parametrize("name", [TOKENIZER, "CASE.md", "scripts", ".git", ".gitignore"])
def test_in_the_place_of_what_a_reset_overwrites(
    name: str, kind: str, started: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be kept aside: nothing is changed until it has been moved away."""
    edit(started.workspace)
    if (started.workspace / name).is_dir():
        (started.workspace / name).rename(started.folder / "moved")
    put(kind, started.workspace / name, monkeypatch)
    mine, at = tree_of(started.workspace), (started.workspace / name).lstat()
    quick = ("reset", "start level1 --fresh", "status", "hint", "start level1")
    told = play(started.folder, *quick)
    for command in quick[:2]:
        code, said = told[command]
        assert code == 2 and f"is a {kind}" in said.replace("\n", " "), said
        assert "cannot be kept aside" in said.replace("\n", " "), said
    assert {told[command][0] for command in quick[2:]} == {0}
    assert tree_of(started.workspace) == mine
    assert (started.workspace / name).lstat().st_ino == at.st_ino
    assert not (started.folder / ".bughunt" / "rescues").exists()
    (started.workspace / name).unlink()
    assert started.run("reset").code == 0


def test_anywhere_else_it_is_left_alone(started: Player) -> None:
    for name in ("mine.py", "nanochat/mine.py", "data/pipe"):
        (started.workspace / name).parent.mkdir(exist_ok=True)
        os.mkfifo(started.workspace / name)
    edit(started.workspace)
    told = play(started.folder, "reset", "restore", "reset 1.1", "start level1 --fresh", "status")
    assert {code for code, _ in told.values()} == {0}, told
    assert all((started.workspace / name).is_fifo() for name in ("mine.py", "nanochat/mine.py", "data/pipe"))


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["HEAD", "index", "config", "objects/pipe", "refs/heads/main"])
def test_in_a_git_folder(name: str, started: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    put("pipe", started.workspace / ".git" / name, monkeypatch)
    told = play(started.folder, "reset", "start level1 --fresh", "status", "hint")
    assert [code for code, _ in told.values()] == [2, 2, 0, 0], told
    assert "is a pipe" in told["reset"][1].replace("\n", " ")


@pytest.mark.parametrize("name", ["log.jsonl", "lock"])
def test_no_check_waits(name: str, started: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    put("pipe", started.folder / ".bughunt" / name, monkeypatch)
    [(code, said)] = play(started.folder, "check 1.1").values()
    assert code == (1 if name == "lock" else 2) and "is a pipe" in said.replace("\n", " "), said


@pytest.mark.usefixtures("started")
def test_a_hunt_where_the_folder_is_no_folder(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("pipe", "socket"):
        put(kind, player.folder / ".bughunt", monkeypatch)
        [(code, said)] = play(player.folder, "start level1").values()
        assert code == 2 and f"is a {kind}" in said.replace("\n", " "), said


def test_a_folder_that_is_gone(player: Player) -> None:
    """Removed while somebody is in it, and every command said in it."""
    gone = player.folder / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    commands = ("", "--help", "--version", "completion bash", "levels", "start level1", "watch", "doctor")
    for command in (*commands, "status --json", "check", "dev rebase", "debrief --save x.html"):
        gone.mkdir(exist_ok=True)
        done = subprocess.run(
            ["sh", "-c", script, "sh", str(gone), sys.executable, "-m", "bughunt", *command.split()],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, (command, done.stderr)
        assert done.returncode in (0, 2), (command, done.stderr)
        if done.returncode:
            assert "does not exist any more" in done.stdout + done.stderr, (command, done.stderr)
