"""Disks that lack something that others have: permissions, locks, renaming folders, long names."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Player
from editing import TOKENIZER, everything, git, tree_of

from bughunt.disk.folders import copy_folder, move_folder
from bughunt.hunt.hunt import Hunt
from bughunt.workspace.git import make_repository

unix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other ways to say no")


def refuse(code: int) -> Callable[..., None]:
    def call(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return call


def refuse_folders(code: int) -> Callable[..., None]:
    real = os.rename

    def rename(source: Path, target: Path, **options: object) -> None:
        if Path(source).is_dir():
            raise OSError(code, os.strerror(code), str(source), None, str(target))
        real(source, target, **options)  # type: ignore[arg-type]

    return rename


LACKS: dict[str, tuple[str, Callable[..., None]]] = {
    "permissions, not allowed": ("os.chmod", refuse(errno.EPERM)),
    "permissions, not supported": ("os.chmod", refuse(errno.ENOTSUP)),
    "permissions, unknown": ("os.chmod", refuse(errno.ENOSYS)),
    "locks, none available": ("fcntl.flock", refuse(errno.ENOLCK)),
    "locks, unknown": ("fcntl.flock", refuse(errno.ENOSYS)),
    "locks, not supported": ("fcntl.flock", refuse(errno.ENOTSUP)),
    "writing through, invalid": ("os.fsync", refuse(errno.EINVAL)),
    "writing through, not supported": ("os.fsync", refuse(errno.ENOTSUP)),
    "renaming folders, as across disks": ("os.rename", refuse_folders(errno.EXDEV)),
    "renaming folders, not supported": ("os.rename", refuse_folders(errno.ENOTSUP)),
}


@unix
@pytest.mark.parametrize("lack", LACKS)
def test_a_whole_game_on_a_disk_that_lacks(
    lack: str, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*LACKS[lack])
    assert player.run("start", "level1").code == 0
    start = tree_of(player.workspace)
    assert git(player.workspace, "status", "--porcelain") == ""
    everything(player.workspace)
    mine = tree_of(player.workspace)
    assert player.run("reset").code == 0
    assert tree_of(player.workspace) == start
    assert player.run("restore").code == 0
    assert tree_of(player.workspace) == mine
    assert player.run("hint").code == 0


@unix
def test_a_git_that_cannot_begin_where_no_permissions_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`git init` changes the mode of its settings' file, and gives up where that fails."""
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(
        "#!/bin/sh\n"
        '[ "$1" = init ] || exec "' + str(shutil.which("git")) + '" "$@"\n'
        "mkdir .git; echo 'error: chmod on .git/config.lock failed: Operation not permitted' >&2; exit 128\n"
    )
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("text\n")
    make_repository(folder, "A commit")
    assert git(folder, "log", "--format=%s").strip() == "A commit"
    assert git(folder, "status", "--porcelain") == ""
    git(folder, "fsck", "--strict")


@pytest.mark.parametrize("fails_at", ["copying", "the last file"])
def test_a_folder_that_is_moved_by_copying_is_whole_or_not_there(
    fails_at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "inner").mkdir(parents=True)
    for name in ("a", "inner/b", "last"):
        (source / name).write_text(name)
    monkeypatch.setattr("os.rename", refuse_folders(errno.EXDEV))
    failing = "copy_folder" if fails_at == "copying" else "copy_atomically"

    def fail(*_: object) -> None:
        assert not (target / "last").exists()
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as during:
        during.setattr(f"bughunt.disk.folders.{failing}", fail)
        with pytest.raises(OSError):
            move_folder(source, target, last="last")
    assert not target.exists()
    copy_folder(source, target)
    assert (target / "inner" / "b").read_text() == "inner/b"


@pytest.mark.parametrize("length", [60, 84])
def test_names_as_long_as_a_disk_takes_them(length: int, hunt: Hunt) -> None:
    """Counted in bytes: three for each of these letters, and the name of what is being written is longer."""
    name = "語" * (length - 1) + ".py"
    file = hunt.folder / "level1" / "nanochat" / name
    file.write_text("mine\n")
    (hunt.folder / "level1" / TOKENIZER).write_text("mine\n")
    hunt.reset(hunt.reset_plan(None))
    assert not file.exists()
    hunt.restore(None)
    assert file.read_text() == "mine\n"
