"""Rescues brought back later: by a newer game, into a workspace that is gone, one of several."""

from __future__ import annotations

from pathlib import Path

import pytest
from editing import edit, everything, tree_of

from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt
from bughunt.workspace import workspace as workspace_module


def test_restore_after_the_game_was_upgraded(
    hunt: Hunt, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer game's start of the level differs in a file that the player never touched."""
    everything(workspace)
    mine = tree_of(workspace)
    hunt.reset(hunt.reset_plan(None))
    inject = workspace_module.inject

    def newer(target: Path, *arguments: object, **options: object) -> None:
        inject(target, *arguments, **options)  # type: ignore[arg-type]
        (target / "README.md").write_text("a newer README\n")
        (target / "nanochat" / "newer.py").write_text("newer\n")

    monkeypatch.setattr(workspace_module, "inject", newer)
    with hunt.store.update() as change:
        change.state.levels["level1"].version = "older"
    for command in (hunt.reset_plan, lambda _: hunt.check([], seed=1)):
        with pytest.raises(BughuntError) as caught:
            command(None)
        assert "another version of the game" in caught.value.message
        assert "--fresh" in caught.value.step
    hunt.start("level1", fresh=True)
    assert (workspace / "README.md").read_text() == "a newer README\n"
    hunt.restore("001-level1")
    assert tree_of(workspace) == mine
    assert hunt.start("level1", fresh=True).rescue is not None
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_restore_after_the_workspace_was_deleted(hunt: Hunt, workspace: Path) -> None:
    everything(workspace)
    mine = tree_of(workspace)
    hunt.reset(hunt.reset_plan(None))
    workspace.rename(workspace.parent / "gone")
    with pytest.raises(BughuntError) as caught:
        hunt.check([], seed=1)
    assert "bughunt start level1" in caught.value.step
    hunt.restore(None)
    assert tree_of(workspace) == mine


def test_the_newest_rescue_is_the_last_one_made(hunt: Hunt, workspace: Path) -> None:
    for number in range(3):
        (workspace / "note.txt").write_text(str(number))
        hunt.reset(hunt.reset_plan(None))
    hunt.restore(None)
    assert (workspace / "note.txt").read_text() == "2"
    assert len({rescue.id for rescue in hunt.rescues.all()}) == 3


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"level": 3}', '{"level": "level9", "made": "", "files": 5}']
)
def test_a_rescue_that_cannot_be_read_is_passed_over(text: str, hunt: Hunt, workspace: Path) -> None:
    edit(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    broken = rescue.folder.with_name("009-level1")
    broken.mkdir()
    (broken / "rescue.json").write_text(text)
    assert [one.id for one in hunt.rescues.all()] == [rescue.id]
    edit(workspace)
    after = hunt.reset(hunt.reset_plan(None)).rescue
    assert after is not None
    assert after.id == "010-level1"
