"""Killed at any instant, a command leaves the old or the new, and nothing of the player's is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from editing import TOKENIZER, again
from waiting import ended, soon

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.hunt.hunt import Hunt

_COMMANDS = """
import sys
from pathlib import Path
from bughunt.content.catalog import Catalog, load_catalog
from bughunt.hunt.hunt import Hunt
import bughunt.workspace.workspace, bughunt.workspace.rescue, bughunt.workspace.injection
hunt = Hunt(Path(sys.argv[1]), Catalog((load_catalog().level("1"),)))
what = sys.argv[2]
sys.stdout.write("ready\\n"); sys.stdout.flush()
if what == "start": hunt.start("1")
if what == "fresh": hunt.start("1", fresh=True)
if what == "reset": hunt.reset(hunt.reset_plan(None))
if what == "restore": hunt.restore(None)
if what == "hint": hunt.hint(hunt.catalog.bug("1.1"))
if what == "check": hunt.check(["1.1"], 5)
"""


def kill_after(seconds: float, folder: Path, command: str, temporary: Path | None = None) -> None:
    """Runs a command in a process of its own and kills it at that moment, or lets it end before."""
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMANDS, str(folder), command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)} if temporary else None,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()


def killing_times(count: int, longest: float) -> Sequence[float]:
    """Instants spread over the time a command takes, other ones in each run."""
    rng = random.Random()
    return [rng.uniform(i, i + 1) / count * longest for i in range(count)]


def finish_what_was_cut_short(hunt: Hunt) -> None:
    hunt.state()
    for notice in hunt.store.notices:
        assert "cut short" in notice, notice
        command = notice.split("`")[1].removeprefix("bughunt ").split()
        if command[0] == "reset":
            hunt.reset(hunt.reset_plan(None))
        elif command[0] == "restore":
            hunt.restore(command[1])
        else:
            hunt.start("level1", fresh=True)
    hunt.store.notices.clear()
    hunt.state()
    assert hunt.store.notices == []


def texts(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }


def expect_nothing_repaired(hunt: Path) -> None:
    """No file that a bug of the level lives in lies anywhere in the hunt without it."""
    for file in {file for bug in load_catalog().level("1").bugs for file in bug.files}:
        clean = (tree_folder() / file).read_bytes()
        assert [path for path in hunt.rglob(Path(file).name) if path.read_bytes() == clean] == []


def kill_starts(count: int, tmp_path: Path, catalog: Catalog) -> None:
    whole = texts(Hunt(_made(tmp_path / "whole"), catalog).start("1").workspace)
    for number, seconds in enumerate(killing_times(count, 0.5)):
        folder = _made(tmp_path / str(number))
        kill_after(seconds, folder, "start")
        expect_nothing_repaired(folder)
        workspace = folder / "level1"
        if workspace.exists():
            assert texts(workspace) == whole
            assert (workspace / ".git" / "refs" / "heads" / "main").is_file()
        hunt = Hunt(folder, catalog)
        state = hunt.state()
        assert hunt.store.notices == []
        assert not state.levels or workspace.exists()
        hunt.start("1")
        assert texts(workspace) == whole
        assert hunt.state().active == "level1"
        shutil.rmtree(folder)


def kill_rewrites(count: int, hunt: Hunt) -> None:
    workspace = hunt.folder / "level1"
    start = texts(workspace)
    rng = random.Random()
    for number, seconds in enumerate(killing_times(count, 0.6)):
        mine = {TOKENIZER: b"mine %d\n" % number, "notes/mine.py": b"note %d" % number}
        (workspace / "notes").mkdir(exist_ok=True)
        for name, text in mine.items():
            (workspace / name).write_bytes(text)
        (workspace / "CASE.md").unlink(missing_ok=True)
        before = texts(workspace)
        command = rng.choice(["reset", "fresh"])
        kill_after(seconds, hunt.folder, command)
        expect_nothing_repaired(hunt.folder)
        later = again(hunt)
        finish_what_was_cut_short(later)
        if texts(workspace) != before:
            assert texts(workspace) == start
            kill_after(rng.uniform(0, 0.6), hunt.folder, "restore")
            later = again(hunt)
            finish_what_was_cut_short(later)
            if texts(workspace) != before:
                later.restore(_rescue_holding(later, mine))
        assert texts(workspace) == before
        again(hunt).reset(hunt.reset_plan(None))
        assert texts(workspace) == start


def _rescue_holding(hunt: Hunt, files: dict[str, bytes]) -> str:
    for rescue in hunt.rescues.all():
        saved = texts(rescue.saved)
        if rescue.whole and all(saved.get(name) == text for name, text in files.items()):
            return rescue.id
    raise AssertionError(f"no rescue holds {files}")


def kill_small_changes(count: int, hunt: Hunt) -> None:
    for seconds in killing_times(count, 0.1):
        hints = again(hunt).state().bug("1.1").hints
        kill_after(seconds, hunt.folder, "hint")
        later = again(hunt)
        assert later.state().bug("1.1").hints in (hints, hints + 1)
        assert later.store.notices == []
        if later.state().bug("1.1").hints == 4:
            shutil.rmtree(hunt.folder / ".bughunt")
            again(hunt).start("1")


def kill_checks(count: int, hunt: Hunt, temporary: Path) -> None:
    """Nothing that was measuring lives on, and the state is as it was or has the verdict."""
    noted = hunt.folder / "level1" / "pids"
    with (hunt.folder / "level1" / TOKENIZER).open("a") as file:
        file.write(
            f"\nimport os, time\nopen({str(noted)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(1)\n"
        )
    for seconds in (*killing_times(count, 2.5), 120):  # the last one ends before that
        kill_after(seconds, hunt.folder, "check", temporary)
        later = again(hunt)
        assert later.state().bug("1.1").verdict in (None, "broken")
        assert later.store.notices == []
    for pid in noted.read_text().split():
        assert ended(int(pid))
    # What a kill leaves before there is anything to leave behind is an empty folder.
    assert soon(lambda: not list(temporary.glob("bughunt-*/*")))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_killed_while_starting(tmp_path: Path, level1_only: Catalog) -> None:
    kill_starts(4, tmp_path, level1_only)


def test_killed_while_rewriting(hunt: Hunt) -> None:
    kill_rewrites(4, hunt)


def test_killed_while_noting(hunt: Hunt) -> None:
    kill_small_changes(4, hunt)


def test_killed_while_checking(hunt: Hunt, tmp_path: Path) -> None:
    kill_checks(2, hunt, _made(tmp_path / "temporary"))


@pytest.mark.soak
def test_killed_many_times(hunt: Hunt, tmp_path: Path, level1_only: Catalog) -> None:
    kill_rewrites(20, hunt)
    kill_small_changes(20, hunt)
    kill_starts(20, _made(tmp_path / "starts"), level1_only)
    kill_checks(5, hunt, _made(tmp_path / "temporary"))
