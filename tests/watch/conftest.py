"""Hunts to watch."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from watching import ScriptedJudge, Watcher

from bughunt.hunt.hunt import Hunt


@pytest.fixture(scope="session")
def started_hunt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hunt with level 1 started, to be copied."""
    folder = tmp_path_factory.mktemp("started") / "hunt"
    folder.mkdir()
    Hunt(folder).start("level1")
    return folder


@pytest.fixture
def hunt(started_hunt: Path, tmp_path: Path) -> Hunt:
    folder = tmp_path / "a hunt"
    shutil.copytree(started_hunt, folder, symlinks=True)
    return Hunt(folder)


@pytest.fixture
def judge() -> ScriptedJudge:
    return ScriptedJudge()


@pytest.fixture
def watch(hunt: Hunt, judge: ScriptedJudge) -> Iterator[Callable[..., Watcher]]:
    """Opens watches of the hunt, and ends them after the test."""
    opened: list[Watcher] = []

    def watch(by: Any = judge, *, manual: bool = False) -> Watcher:
        opened.append(Watcher(hunt, by, manual=manual))
        return opened[-1]

    yield watch
    for watcher in opened:
        watcher.session.close()
