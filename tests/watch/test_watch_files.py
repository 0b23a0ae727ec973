"""Saves are noticed however they are made, and whether or not the system tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from bughunt.watch import files
from bughunt.watch.files import NO_EVENTS, FileWatch

PATIENCE_SECONDS = 30.0


class Reports:
    def __init__(self, folder: Path) -> None:
        self.changes: Queue[frozenset[str]] = Queue()
        self.reasons: Queue[str] = Queue()
        self.watch = FileWatch(folder, self.changes.put, self.reasons.put)

    def expect(self, *names: str) -> None:
        """The next changes together are those of `names`; an editor's save may come in two parts."""
        seen: set[str] = set()
        while not seen >= set(names):
            seen |= self.changes.get(timeout=PATIENCE_SECONDS)
        assert seen == set(names)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "level1"
    (folder / "nanochat").mkdir(parents=True)
    (folder / "nanochat/gpt.py").write_text("a = 1\n")
    (folder / "nanochat/engine.py").write_text("b = 1\n")
    return folder


@pytest.fixture
def reports(folder: Path) -> Iterator[Reports]:
    reports = Reports(folder)
    with reports.watch:
        yield reports


def deaf(*_: Any, stop_event: Any, **__: Any) -> Iterator[set[Any]]:
    """A watchfiles that hears nothing."""
    while not stop_event.wait(0.01):
        yield set()


def test_however_an_editor_saves(folder: Path, reports: Reports) -> None:
    gpt = folder / "nanochat/gpt.py"
    gpt.write_text("a = 2\n")
    reports.expect("nanochat/gpt.py")
    (folder / "nanochat/.gpt.py.swp").write_text("a = 3, in another file first\n")
    (folder / "nanochat/.gpt.py.swp").replace(gpt)
    reports.expect("nanochat/gpt.py")
    gpt.unlink()
    reports.expect("nanochat/gpt.py")
    gpt.write_text("a = 4\n")
    reports.expect("nanochat/gpt.py")
    (folder / "scripts").mkdir()
    (folder / "scripts/mine.py").write_text("c = 1\n")
    reports.expect("scripts/mine.py")


def test_what_is_no_source_is_passed_over(folder: Path, reports: Reports) -> None:
    for name in ("notes.txt", "runs/log.py", "nanochat/__pycache__/gpt.cpython-311.pyc", ".git/hooks.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("noise")
    (folder / "nanochat/engine.py").write_text("b = 2\n")
    reports.expect("nanochat/engine.py")


def test_a_folder_that_goes_and_comes_back(folder: Path, reports: Reports) -> None:
    aside = folder.with_name("aside")
    folder.rename(aside)
    reports.expect("nanochat/gpt.py", "nanochat/engine.py")
    aside.rename(folder)
    reports.expect("nanochat/gpt.py", "nanochat/engine.py")
    (folder / "nanochat/gpt.py").write_text("a = 5\n")
    reports.expect("nanochat/gpt.py")


def test_where_no_events_arrive_the_files_are_polled_and_it_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "watch", deaf)
    reports = Reports(folder)
    with reports.watch:
        for number in range(3):
            (folder / "nanochat/gpt.py").write_text(f"a = {number + 100}\n")
            reports.expect("nanochat/gpt.py")
        assert reports.reasons.get(timeout=PATIENCE_SECONDS) == NO_EVENTS
    assert reports.reasons.empty()


def test_where_watching_fails_the_files_are_polled_and_it_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Iterator[set[Any]]:
        raise OSError("inotify watch limit reached")
        yield

    monkeypatch.setattr(files, "watch", fail)
    reports = Reports(folder)
    with reports.watch:
        assert "inotify watch limit reached" in reports.reasons.get(timeout=PATIENCE_SECONDS)
        (folder / "nanochat/gpt.py").write_text("a = 6\n")
        reports.expect("nanochat/gpt.py")


def test_polling_when_it_is_asked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    reports = Reports(folder)
    with reports.watch:
        assert "WATCHFILES_FORCE_POLLING" in reports.reasons.get(timeout=PATIENCE_SECONDS)
        (folder / "nanochat/gpt.py").write_text("a = 7\n")
        reports.expect("nanochat/gpt.py")
