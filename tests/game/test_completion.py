"""Completion in bash, by the script that `bughunt completion bash` prints; nothing is written anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Player

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")

# What bash itself does at a Tab: calls the function with the words so far, and reads COMPREPLY.
ASK = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_bughunt_completion "$1" "${COMP_WORDS[COMP_CWORD]}"
echo "${COMPREPLY[@]}"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The player's home folder, with the command in a folder of its own on the PATH."""
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    script = home / "bin" / "bughunt"
    script.write_text(f"#!{sys.executable}\nfrom bughunt.cli.main import main\nmain()\n")
    script.chmod(0o755)
    (home / ".bashrc").write_text("# mine\n")
    return home


@pytest.fixture
def script(player: Player, home: Path) -> Path:
    ran = player.run("completion", "bash")
    assert ran.code == 0
    file = home / "script.sh"
    file.write_text(ran.out)
    return file


def at_home(home: Path) -> dict[str, str]:
    """The player's shell."""
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    python_path = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "HOME": str(home), "PATH": path, "PYTHONPATH": python_path}


def completed(player: Player, script: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words. Nothing is said on standard error."""
    command = ["bash", "--norc", "-c", ASK, "bash", str(script), "bughunt", *words]
    ran = subprocess.run(
        command, cwd=player.folder, env=at_home(script.parent), capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.split()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_levels_bugs_and_commands(player: Player, script: Path) -> None:
    before = contents(script.parent)
    assert completed(player, script, "start", "") == ["level1", "level2", "level3"]
    assert completed(player, script, "start", "ha") == ["hard"]
    assert completed(player, script, "hi") == ["hint"]
    assert completed(player, script, "hint", "1.") == []
    assert list(player.folder.iterdir()) == []

    player.run("start", "level1")
    for command in ("hint", "probe", "reset", "solution", "check"):
        assert completed(player, script, command, "1.") == ["1.1", "1.2", "1.3"]
    assert completed(player, script, "check", "1.1", "1.2") == ["1.2"]
    assert completed(player, script, "hint", "2.") == []
    player.run("start", "level2")
    assert completed(player, script, "hint", "2.") == ["2.1", "2.2", "2.3", "2.4"]
    assert contents(script.parent) == before


def test_a_state_that_cannot_be_used_is_left_to_a_command(started: Player, script: Path) -> None:
    (started.folder / ".bughunt" / "state.json").write_bytes(b"{")
    before = contents(started.folder)
    assert completed(started, script, "hint", "1.") == []
    assert contents(started.folder) == before


def test_what_goes_wrong_is_not_said(player: Player, script: Path) -> None:
    (script.parent / "bin" / "nowhere").mkdir()
    ask = f'cd "{script.parent}/bin/nowhere" && rmdir "$PWD" && {ASK}'
    ran = subprocess.run(
        ["bash", "--norc", "-c", ask, "bash", str(script), "bughunt", "hint", "1."],
        env=at_home(script.parent),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "\n", "")


@pytest.mark.parametrize(("shell", "says"), [("zsh", "compdef"), ("fish", "complete --command bughunt")])
def test_other_shells_get_a_script_of_theirs(player: Player, shell: str, says: str) -> None:
    ran = player.run("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert says in ran.out and "_BUGHUNT_COMPLETE" in ran.out


def test_a_shell_without_a_script_is_named_wrong(player: Player) -> None:
    ran = player.run("completion", "tcsh")
    assert ran.code == 2
    assert "tcsh" in ran.err
