"""A catalog of level 1 alone, hunts on it, and judges: what the tests of the game share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import Player

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.level import Bug, Level
from bughunt.hunt.hunt import Hunt


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The player's shell has set nothing."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "BUGHUNT_", "PYTEST_ADDOPTS")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def level1() -> Level:
    return load_catalog().level("level1")


@pytest.fixture(scope="session")
def bug(level1: Level) -> Bug:
    """A bug whose measurement needs no torch."""
    return level1.bugs[0]


@pytest.fixture(scope="session")
def level1_only(level1: Level) -> Catalog:
    return Catalog((level1,))


@pytest.fixture
def hunt(tmp_path: Path, level1_only: Catalog) -> Hunt:
    """A hunt with level 1 started, in a folder with a space and a letter beyond ASCII in its name."""
    folder = tmp_path / "Zoë's hunt"
    folder.mkdir()
    hunt = Hunt(folder, level1_only)
    hunt.start("level1")
    return hunt


@pytest.fixture
def workspace(hunt: Hunt) -> Path:
    return hunt.folder / "level1"


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Player:
    """Somebody at the keyboard, in a folder with a comma, a space and letters beyond ASCII in its name."""
    folder = tmp_path / "a hunt, ünïcode"
    folder.mkdir()
    return Player(folder, monkeypatch, capsys)


@pytest.fixture
def started(player: Player) -> Player:
    assert player.run("start", "level1").code == 0
    return player
