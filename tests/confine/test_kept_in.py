"""Landlock and the rest, on this very process's children."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bughunt.confine import hold, landlock
from bughunt.confine.kernel import forbid_tracing
from bughunt.measure.sandbox import trouble_with

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(hold.lacking()), reason=f"this system lacks {hold.lacking()}"
)


def in_a_child(work: Callable[[], object]) -> str:
    """What comes of `work` in a process of its own: the name of its error, or nothing."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            work()
        except BaseException as error:
            os.write(writing, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("mine/kept", "mine", "game/inner", "else"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "file.txt").write_text("kept")
    (tmp_path / "game/file.txt").write_text("kept")
    return tmp_path


def held(folder: Path, shown: str = "mine") -> None:
    kept = [str(folder / "mine/kept")]
    hold.hold([str(folder / "mine")], kept, [str(folder / "game")], [str(folder / shown)])


def test_it_writes_where_it_may_and_nowhere_else(folder: Path) -> None:
    def writes(name: str) -> str:
        return in_a_child(lambda: (held(folder), (folder / name / "file.txt").write_text("changed")))

    assert writes("mine") == ""
    assert writes("else") == writes("game") == "PermissionError"
    assert (folder / "else/file.txt").read_text() == "kept"


@pytest.mark.skipif(trouble_with("namespaces") is not None, reason=f"{trouble_with('namespaces')}")
def test_it_keeps_what_is_to_be_kept_even_there(folder: Path) -> None:
    kept = folder / "mine/kept"
    assert in_a_child(lambda: (held(folder), (kept / "file.txt").write_text("changed"))) == "OSError"
    assert in_a_child(lambda: (held(folder), kept.rename(folder / "mine/gone"))) == "OSError"
    assert (kept / "file.txt").read_text() == "kept"


def test_it_moves_files_between_its_folders(folder: Path) -> None:
    (folder / "mine/inner").mkdir()
    move = in_a_child(
        lambda: (held(folder), (folder / "mine/file.txt").rename(folder / "mine/inner/file.txt"))
    )
    assert move == ""


def test_it_reads_all_but_what_is_hidden(folder: Path) -> None:
    def reads(name: str, shown: str = "mine") -> str:
        return in_a_child(lambda: (held(folder, shown), (folder / name).read_text()))

    assert reads("else/file.txt") == reads("mine/file.txt") == ""
    assert reads("game/file.txt") == reads("game/inner/file.txt") == "PermissionError"
    assert reads("game/inner/file.txt", shown="game/inner") == ""


def test_what_comes_later_beside_the_way_is_readable_to_later_ones(folder: Path) -> None:
    arguments = ([str(folder / "game")], [str(folder / "mine")])
    os.utime(folder, (1, 1))
    hold.prepare(*arguments)
    (folder / "new.txt").write_text("new")
    assert (
        in_a_child(lambda: (hold.prepare(*arguments), held(folder), (folder / "new.txt").read_text())) == ""
    )


def test_it_has_no_capability_and_gets_none(folder: Path) -> None:
    def work() -> None:
        held(folder)
        status = Path("/proc/self/status").read_text()
        kinds = [line.split()[1] for line in status.splitlines() if line.startswith("Cap")]
        assert {int(kind, 16) for kind in kinds if kind} == {0}, kinds

    assert in_a_child(work) == ""


def test_its_parent_is_out_of_reach(folder: Path) -> None:
    parent = os.getpid()
    assert in_a_child(lambda: (held(folder), os.kill(parent, 0))) == "PermissionError"
    memory = Path(f"/proc/{parent}/mem")
    assert in_a_child(lambda: (held(folder), memory.open("r+b"))) == "PermissionError"


def test_without_landlock_a_parent_that_forbids_tracing_is_out_of_reach_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)

    def guarded() -> None:
        assert forbid_tracing()
        memory = Path(f"/proc/{os.getpid()}/mem")
        said = in_a_child(lambda: (held(folder), memory.open("r+b")))
        assert said == "PermissionError", said

    assert in_a_child(guarded) == ""


def test_ways_lead_to_what_is_hidden() -> None:
    assert landlock.ways([Path("/a/b/c"), Path("/a/d")]) == [Path("/"), Path("/a"), Path("/a/b")]
    assert landlock.ways([Path("/a/b/c"), Path("/a")]) == [Path("/")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reaches folders of others at all")
def test_root_still_works_in_a_folder_of_somebody_elses(folder: Path) -> None:
    os.chown(folder / "mine", 65534, 65534)
    (folder / "mine").chmod(0o700)

    def writes(name: str) -> str:
        return in_a_child(lambda: (held(folder), (folder / name / "file.txt").write_text("changed")))

    assert writes("mine") == ""
    assert writes("else") == "PermissionError"
    memory = Path(f"/proc/{os.getpid()}/mem")
    assert in_a_child(lambda: (held(folder), memory.open("r+b"))) == "PermissionError"


def test_rules_that_are_out_of_date_leave_no_descriptor_behind(folder: Path) -> None:
    def open_now() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = open_now()
    for number in range(20):
        os.utime(folder, (number, number))
        hold.prepare([str(folder / "game")], [str(folder / "mine")])
    assert open_now() < before + 10
