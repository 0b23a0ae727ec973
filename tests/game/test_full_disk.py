"""A full disk, or one that cannot be written: what is said names it, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest
from command_line import Player

from bughunt.content.installed import tree_folder
from bughunt.disk.files import copy_new, write_atomically
from bughunt.disk.places import explained
from bughunt.errors import BughuntError
from bughunt.workspace.git import make_repository

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("code", "free", "said", "step"),
    [
        (errno.ENOSPC, 0, "that disk is full (0 bytes free)", "Free some space there"),
        (errno.ENOSPC, 3072, "that disk is full (3.0 KB free)", "Free some space there"),
        (
            errno.ENOSPC,
            5 << 30,
            "that disk has no room for more files (5.0 GB free)",
            "Free some space there",
        ),
        (errno.EDQUOT, 5 << 20, "your share of that disk is used up (5.0 MB free)", "Free some space there"),
        (errno.EROFS, 0, "that disk can only be read", "Make that disk writable"),
        (errno.EACCES, 0, "Permission denied", "Check the permissions there"),
        (errno.EIO, 0, os.strerror(errno.EIO), "still connected"),
        (errno.EFBIG, 0, os.strerror(errno.EFBIG), "bughunt doctor"),
    ],
)
def test_an_error_names_the_file_that_was_written_and_what_to_do(
    code: int, free: int, said: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def full(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(1, 1, free))
    with pytest.raises(BughuntError) as caught, explained(tmp_path):
        write_atomically(tmp_path / "state.json", b"new")
    assert f"{tmp_path / 'state.json'}: {said}." in caught.value.message
    assert step in caught.value.step
    assert "start the hunt in another folder" in caught.value.step
    assert list(tmp_path.iterdir()) == []


def test_of_a_full_temporary_folder_it_is_said_how_to_have_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(BughuntError) as caught, explained(tmp_path):
        raise OSError(errno.ENOSPC, "full", str(tmp_path / "bughunt-x" / "file"))
    assert "TMPDIR" in caught.value.step


def test_a_copy_that_cannot_be_written_names_the_copy_and_one_that_cannot_be_read_the_original(
    tmp_path: Path,
) -> None:
    (tmp_path / "original").write_text("text")
    with pytest.raises(OSError) as caught:
        copy_new(tmp_path / "original", tmp_path / "nowhere" / "copy")
    assert caught.value.filename == str(tmp_path / "nowhere" / "copy")
    with pytest.raises(OSError) as caught:
        copy_new(tmp_path / "gone", tmp_path / "copy")
    assert caught.value.filename == str(tmp_path / "gone")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS], ids=os.strerror)
@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for git is a shell script")
def test_what_git_says_of_the_disk_is_said_of_the_disk(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(
        '#!/bin/sh\n[ "$1" != add ] || { echo "fatal: unable to write: '
        + os.strerror(code)
        + '" >&2; exit 128; }\n'
        f'exec "{shutil.which("git")}" "$@"\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(BughuntError) as caught:
        make_repository(folder, "A commit")
    assert str(folder) in caught.value.message
    assert "disk" in caught.value.message
    assert "doctor" not in caught.value.step


def test_without_a_temporary_folder_there_is_one_sentence(
    started: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "mkdtemp", none)
    for command in ("check", "probe"):
        ran = started.run(command, "1.1")
        assert ran.code == 2, command
        assert "There is no temporary folder that bughunt can write to." in ran.err
        assert "TMPDIR" in ran.err


_ON_A_FULL_DISK = """
import contextlib, io, json, os, subprocess, sys
from pathlib import Path
place = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], check=True)
os.chdir(place)

from bughunt.cli.main import main

def play(*arguments):
    sys.argv = ["bughunt", *arguments]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            return [arguments, int(ended.code or 0), said.getvalue()]

assert play("start", "level1")[1] == 0
tokenizer = place / "level1" / "nanochat" / "tokenizer.py"
tokenizer.write_text("mine")
with contextlib.suppress(OSError), (place / "filling").open("wb", buffering=0) as file:
    while True:
        file.write(bytes(512))
commands = "reset", "reset 1.1", "hint", "start level2", "start level1 --fresh", "debrief --save x.html"
ran = [play(*command.split()) for command in commands]
mine = tokenizer.read_text()
(place / "filling").unlink()
after = [play(*command) for command in (["hint"], ["reset"], ["restore"])]
print(json.dumps({"full": ran, "after": after, "mine": mine, "back": tokenizer.read_text()}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux has the namespaces")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """Mounted for one process alone, in a namespace that ends with it."""
    inside = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    able = shutil.which("unshare") and subprocess.run(
        [*inside, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if not able or able.returncode:
        pytest.skip("this user may not mount anything")
    done = subprocess.run(
        [*inside, sys.executable, "-c", _ON_A_FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for command, code, said in told["full"]:
        flat = "".join(said.split())
        assert code == 2, (command, said)
        assert "thatdiskisfull(0bytesfree)" in flat, (command, said)
        assert str(tree_folder()) not in flat, (command, said)
        assert str(tmp_path) in flat or "x.html" in flat, (command, said)
    assert told["mine"] == "mine"
    assert [code for _, code, _ in told["after"]] == [0, 0, 0]
    assert told["back"] == "mine"
