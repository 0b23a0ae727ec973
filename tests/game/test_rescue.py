"""Nothing that the player wrote is ever lost: it is saved before it is overwritten, and comes back."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from editing import EDITS, LOADER, everything, link_a_folder, tree_of

from bughunt.content.level import Level
from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt


@pytest.mark.few(6)
@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.__name__)
def test_reset_and_restore_and_restore_again(
    change: Callable[[Path], None], hunt: Hunt, workspace: Path
) -> None:
    start = tree_of(workspace)
    change(workspace)
    mine, around = tree_of(workspace), tree_of(hunt.folder, without=("level1", ".bughunt"))
    reset = hunt.reset(hunt.reset_plan(None))
    assert tree_of(workspace) == start
    assert reset.rescue is not None
    assert reset.rescue.folder.is_dir()
    overwritten = hunt.restore(None).overwritten
    assert tree_of(workspace) == mine
    assert overwritten is None
    edit_more = workspace / "more.txt"
    edit_more.write_text("more")
    with_more = tree_of(workspace)
    overwritten = hunt.restore(reset.rescue.id).overwritten
    assert tree_of(workspace) == mine
    assert overwritten is not None
    hunt.restore(None)
    assert tree_of(workspace) == with_more
    assert tree_of(hunt.folder, without=("level1", ".bughunt")) == around


@pytest.mark.parametrize("change", EDITS, ids=lambda change: change.__name__)
def test_reset_of_one_bug_touches_its_files_only(
    change: Callable[[Path], None], hunt: Hunt, workspace: Path, level1: Level
) -> None:
    start = tree_of(workspace)
    change(workspace)
    mine, around = tree_of(workspace), tree_of(hunt.folder, without=("level1", ".bughunt"))
    bug = level1.bugs[1]
    assert bug.files == (LOADER,)
    if change is link_a_folder:
        with pytest.raises(BughuntError) as caught:
            hunt.reset(hunt.reset_plan(bug.id))
        assert "link" in caught.value.message
    else:
        hunt.reset(hunt.reset_plan(bug.id))
        assert tree_of(workspace) == mine | {LOADER: start[LOADER]}
    assert tree_of(hunt.folder, without=("level1", ".bughunt")) == around
    if mine.get(LOADER) != start[LOADER] and change is not link_a_folder:
        hunt.restore(None)
        assert tree_of(workspace) == mine


def test_a_fresh_start_and_back(hunt: Hunt, workspace: Path) -> None:
    start = tree_of(workspace)
    everything(workspace)
    mine = tree_of(workspace)
    hunt.start("level1", fresh=True)
    assert tree_of(workspace) == start
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_nothing_changed_needs_no_rescue(hunt: Hunt) -> None:
    assert hunt.reset(hunt.reset_plan(None)).rescue is None
    assert hunt.reset(hunt.reset_plan("1.1")).rescue is None
    assert hunt.start("level1", fresh=True).rescue is None
    assert hunt.rescues.all() == []
    with pytest.raises(BughuntError):
        hunt.restore(None)


@pytest.mark.skipif(sys.platform == "win32", reason="its files have no such modes")
@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o1700, 0o600])
def test_the_mode_of_an_edited_file(mode: int, hunt: Hunt, workspace: Path) -> None:
    (workspace / LOADER).write_text("mine")
    (workspace / LOADER).chmod(mode)
    if stat.S_IMODE((workspace / LOADER).stat().st_mode) != mode:
        pytest.skip("this disk does not keep such a mode")
    for bug in (None, "1.2"):
        hunt.reset(hunt.reset_plan(bug))
        assert stat.S_IMODE((workspace / LOADER).stat().st_mode) == 0o644
        hunt.restore(None)
        assert stat.S_IMODE((workspace / LOADER).stat().st_mode) == mode


@pytest.mark.skipif(sys.platform != "linux", reason="only there Python knows of notes beside a file")
def test_what_is_noted_beside_a_file(hunt: Hunt, workspace: Path) -> None:
    (workspace / LOADER).write_text("mine")
    try:
        os.setxattr(workspace / LOADER, "user.mine", b"note")
    except OSError:
        pytest.skip("this disk keeps no such notes")
    hunt.reset(hunt.reset_plan(None))
    assert os.listxattr(workspace / LOADER) == []
    hunt.restore(None)
    assert os.getxattr(workspace / LOADER, "user.mine") == b"note"


def test_a_file_with_another_name_elsewhere(hunt: Hunt, workspace: Path, tmp_path: Path) -> None:
    """A hard link: what is put back is put into its place, and not into the file that both names have."""
    (workspace / LOADER).write_text("mine")
    os.link(workspace / LOADER, tmp_path / "other name")
    hunt.reset(hunt.reset_plan(None))
    hunt.restore(None)
    hunt.reset(hunt.reset_plan("1.2"))
    assert (tmp_path / "other name").read_text() == "mine"
