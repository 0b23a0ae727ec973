"""What has been set aside is on the disk before it counts, however many files it is."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bughunt.disk.durable import make_durable
from bughunt.hunt.hunt import Hunt
from bughunt.workspace import rescue as rescue_module

MANY = 300

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens no folders")


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that were waited for, one by one."""
    real, seen = os.fsync, []

    def fsync(descriptor: int) -> None:
        seen.append(os.fstat(descriptor).st_ino)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def files_in(folder: Path, count: int) -> list[Path]:
    files = [folder / "deep" / "er" / f"file{number}.py" for number in range(count)]
    files[0].parent.mkdir(parents=True)
    for file in files:
        file.write_text(file.name)
    return files


def test_of_a_few_files_each_is_waited_for_and_each_folder(tmp_path: Path, synced: list[int]) -> None:
    files = files_in(tmp_path, 3)
    (tmp_path / "deep" / "link").symlink_to("nowhere")
    make_durable([*files, tmp_path / "deep" / "link"], tmp_path)
    folders = [tmp_path, tmp_path / "deep", tmp_path / "deep" / "er"]
    assert sorted(synced) == sorted(path.stat().st_ino for path in (*files, *folders))


def test_many_are_waited_for_one_by_one_where_a_disk_cannot_be_waited_for(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_library(*_: object, **__: object) -> None:
        raise OSError("no library of C")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    files = files_in(tmp_path, MANY)
    make_durable(files, tmp_path)
    assert {file.stat().st_ino for file in files} <= set(synced)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux waits for one disk")
def test_a_large_rescue_does_not_wait_for_each_file(hunt: Hunt, workspace: Path, synced: list[int]) -> None:
    files_in(workspace, MANY)
    synced.clear()
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    assert len(rescue.files) == MANY
    hunt.restore(None)
    assert len(synced) < MANY / 3


def test_a_rescue_has_its_name_only_when_it_is_on_the_disk(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for: list[str] = []
    wait: Callable[..., None] = rescue_module.make_durable

    def look(files: list[Path], below: Path) -> None:
        assert hunt.rescues.all() == []
        waited_for.extend(path.relative_to(below).as_posix() for path in files)
        assert all(stat.S_ISREG(path.lstat().st_mode) for path in files)
        wait(files, below)

    monkeypatch.setattr(rescue_module, "make_durable", look)
    (workspace / "mine.py").write_text("mine\n")
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    saved = [path.relative_to(rescue.folder).as_posix() for path in rescue.saved.rglob("*") if path.is_file()]
    assert "files/mine.py" in saved
    assert sorted(waited_for) == sorted(saved)
