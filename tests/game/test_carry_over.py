"""A hunt that was begun before there was a log goes on with all that it had counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bughunt.hunt.hunt import Hunt
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.store import Store

OLD = {
    "schema": 1,
    "active": "level1",
    "levels": {
        "level1": {
            "workspace": "level1",
            "version": "v",
            "started": "2026-01-01T00:00:00+00:00",
            "guided": True,
        }
    },
    "bugs": {
        "1.1": {
            "verdict": "fixed",
            "fixed_at": "2026-01-01T01:00:00+00:00",
            "hints": 2,
            "checks": 3,
            "solution_asked": False,
            "solution_opened": None,
            "elsewhere": True,
        },
        "1.2": {
            "verdict": None,
            "fixed_at": None,
            "hints": 0,
            "checks": 0,
            "solution_asked": True,
            "solution_opened": "2026-01-01T02:00:00+00:00",
            "elsewhere": False,
        },
    },
    "theme": "dark",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / ".bughunt"
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps(OLD))
    return folder


def assert_carried_over(store: Store) -> None:
    state = store.read()
    assert state.bug("1.1") == BugProgress(
        "fixed", "2026-01-01T01:00:00+00:00", hints=2, checks=3, elsewhere=True
    )
    assert state.bug("1.2") == BugProgress(solution_asked=True, solution_opened="2026-01-01T02:00:00+00:00")
    assert state.levels["level1"].guided
    assert store.notices == []


def test_it_is_read_without_a_change(old: Path) -> None:
    assert_carried_over(Store(old))
    assert json.loads((old / "state.json").read_text()) == OLD
    assert [path.name for path in old.iterdir()] == ["state.json"]


def test_the_first_change_writes_it_to_the_log(old: Path) -> None:
    store = Store(old)
    with store.update() as change:
        change.state.active = "level2"
    assert_carried_over(Store(old))
    document = json.loads((old / "state.json").read_text())
    assert (document["schema"], document["active"], document["theme"]) == (2, "level2", "dark")
    assert "bugs" not in document
    assert len(store.log.path.read_text().splitlines()) == 2


def test_a_kill_before_the_state_was_written_carries_nothing_twice(old: Path) -> None:
    before = (old / "state.json").read_bytes()
    for _ in range(3):
        with Store(old).update():
            pass
        (old / "state.json").write_bytes(before)
    assert_carried_over(Store(old))


def test_a_rescue_of_then_gives_its_hints_back(hunt: Hunt) -> None:
    """A fresh start used to forget them, and the rescue kept them."""
    (hunt.folder / "level1" / "note.txt").write_text("mine")
    hunt.start("level1", fresh=True)
    [rescue] = hunt.rescues.all()
    card = json.loads((rescue.folder / "rescue.json").read_text())
    card["progress"]["bugs"] = {"1.1": {"hints": 3, "checks": 5}, "1.2": {"solution_opened": "then"}}
    (rescue.folder / "rescue.json").write_text(json.dumps(card))
    hunt.restore(None)
    state = hunt.state()
    assert (state.bug("1.1").hints, state.bug("1.1").checks) == (3, 5)
    assert state.bug("1.2").solution_opened == "then"


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        {"level": 3},
        {"level": {"workspace": "../x", "version": "v", "started": "then"}},
        {"bugs": []},
        {"bugs": {"1.1": None}},
        {"bugs": {"1.1": {"hints": "x"}}},
    ],
    ids=repr,
)
def test_an_edited_rescue_does_no_harm(snapshot: dict[str, Any], hunt: Hunt) -> None:
    (hunt.folder / "level1" / "note.txt").write_text("mine")
    hunt.start("level1", fresh=True)
    [rescue] = hunt.rescues.all()
    card = json.loads((rescue.folder / "rescue.json").read_text())
    (rescue.folder / "rescue.json").write_text(json.dumps(card | {"progress": snapshot}))
    hunt.restore(None)
    state = hunt.state()
    assert state.levels["level1"].workspace == "level1"
    assert state.bug("1.1").hints == 0
    assert (hunt.folder / "level1" / "note.txt").read_text() == "mine"
