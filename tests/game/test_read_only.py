"""A hunt that can be read and not written to: verdicts are shown, with their own status."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from command_line import Player
from other_users import NOBODY, as_user, trouble_as

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has the namespaces")

_MOUNT = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift && exec "$@"'
_GAME = (sys.executable, "-m", "bughunt")


def mounted(folder: Path) -> list[str]:
    """What runs a command in `folder`, mounted so that it can only be read, for that command alone."""
    inside = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    before = [*inside, "sh", "-c", _MOUNT, "sh", str(folder)]
    if not shutil.which("unshare") or run([*before, "true"]).returncode:
        pytest.skip("this user may not mount anything")
    return before


def another_user(folder: Path) -> list[str]:
    """What runs a command in `folder` as somebody whose hunt it is not."""
    if trouble := trouble_as(NOBODY):
        pytest.skip(trouble)
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o5 != 0o5 and parent.is_relative_to(tempfile.gettempdir()):
            parent.chmod(0o755)
    return ["env", "-C", str(folder), *as_user(NOBODY)]


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


@pytest.mark.few(3)
@pytest.mark.parametrize("way", [mounted, another_user])
@pytest.mark.parametrize("lacking", ["nothing", "state.json", "all states"])
def test_a_check(way: Callable[[Path], list[str]], lacking: str, started: Player) -> None:
    before = way(started.folder)
    assert started.run("hint", "1.1").code == 0
    for state in (started.folder / ".bughunt").glob("state*.json"):
        if lacking == "all states" or state.name == lacking:
            state.unlink()
    there = sorted(path.name for path in (started.folder / ".bughunt").iterdir())
    for options in ([], ["--json"]):
        ran = run([*before, *_GAME, "check", "1.1", *options])
        assert ran.returncode == 1, ran.stderr
        assert "broken" in ran.stdout
        said = " ".join(ran.stderr.split())
        assert "The verdict on 1.1 was not recorded." in said
        assert ("state.json is missing" in said) == (lacking != "nothing")
        assert "Traceback" not in said
    ran = run([*before, *_GAME, "hint", "--again"])
    assert ran.returncode == 0, ran.stderr
    for command in ("reset", "hint", "start level1 --fresh"):
        ran = run([*before, *_GAME, *command.split()])
        assert ran.returncode == 2, ran.stderr
        assert str(started.folder / ".bughunt") in ran.stderr.replace("\n", "")
    assert sorted(path.name for path in (started.folder / ".bughunt").iterdir()) == there
