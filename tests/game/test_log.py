"""The log: what was written stays, and what was changed or taken out is noticed and said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bughunt import __version__
from bughunt.hunt.events import Check, Hint, Restore, Solution
from bughunt.hunt.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A hunt with three events in its log."""
    store = Store(tmp_path / ".bughunt")
    for number in (1, 2):
        with store.update() as change:
            change.note(Hint(bug="1.1", number=number))
    with store.update() as change:
        change.note(Check(bug="1.1", verdict="fixed", seed=7))
    return store


def lines(store: Store) -> list[str]:
    return store.log.path.read_text(encoding="utf-8").splitlines()


def test_every_event_has_its_time_the_version_and_the_hash_before_it(store: Store) -> None:
    documents = [json.loads(line) for line in lines(store)]
    assert [one["event"] for one in documents] == ["hint", "hint", "check"]
    assert all(one["version"] == __version__ and one["time"] for one in documents)
    assert "previous" not in documents[0]
    assert len({one["previous"] for one in documents[1:]}) == 2
    assert store.read().head.lines == 3
    assert store.notices == []


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "a line changed": lambda all: [all[0].replace('"number":1', '"number":4'), *all[1:]],
    "the last line changed": lambda all: [*all[:2], all[2].replace("fixed", "broken")],
    "a line taken out": lambda all: [all[0], all[2]],
    "the first line taken out": lambda all: all[1:],
    "the last line taken out": lambda all: all[:2],
    "lines exchanged": lambda all: [all[1], all[0], all[2]],
    "a line put in": lambda all: [all[0], all[0], *all[1:]],
    "a line garbled": lambda all: [all[0], "{\0", all[2]],
    "all taken out": lambda all: [],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_said_in_one_sentence(change: Callable[..., list[str]], store: Store) -> None:
    store.log.path.write_text("".join(f"{line}\n" for line in change(lines(store))), encoding="utf-8")
    for reader in (Store(store.folder), Store(store.folder)):
        reader.read()
        [notice] = reader.notices
        assert "log.jsonl" in notice
        assert "changed or taken out" in notice


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_it_is_still_said_when_more_has_happened(change: Callable[..., list[str]], store: Store) -> None:
    store.log.path.write_text("".join(f"{line}\n" for line in change(lines(store))), encoding="utf-8")
    with store.update() as update:
        update.note(Solution(bug="1.1", opened=False))
    reader = Store(store.folder)
    assert reader.read().bug("1.1").solution_asked
    assert len(reader.notices) == 1


def test_a_log_that_is_gone_is_noticed(store: Store) -> None:
    store.log.path.unlink()
    reader = Store(store.folder)
    assert reader.read().bugs == {}
    assert len(reader.notices) == 1


@pytest.mark.parametrize("length", range(1, 40, 6))
def test_a_line_cut_short_by_a_kill_is_no_event(length: int, store: Store) -> None:
    whole = store.log.path.read_bytes()
    store.log.path.write_bytes(whole + whole.splitlines()[0][:length])
    assert store.read().bug("1.1").hints == 2
    with store.update() as change:
        change.note(Hint(bug="1.1", number=3))
    assert store.read().bug("1.1").hints == 3
    assert store.notices == []


def test_an_event_whose_state_was_not_written_any_more_counts(store: Store) -> None:
    """A kill between the log and the state."""
    before = store.file.read_bytes()
    with store.update() as change:
        change.note(Hint(bug="1.1", number=3))
    store.file.write_bytes(before)
    reader = Store(store.folder)
    assert reader.read().bug("1.1").hints == 3
    assert reader.notices == []


def test_an_event_of_a_later_version_is_passed_over(store: Store) -> None:
    previous = store.read().head.hash
    line = {"event": "suspicion", "bug": "1.1", "where": "gpt.py", "version": "9", "previous": previous}
    with store.log.path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    with store.update() as change:
        change.note(Hint(bug="1.1", number=3))
    assert store.read().bug("1.1").hints == 3
    assert store.notices == []


def test_after_files_were_put_back_nobody_has_judged_them(store: Store) -> None:
    assert store.read().bug("1.1").fixed
    with store.update() as change:
        change.note(Restore(level="level1", rescue="001-level1", bugs=("1.1", "1.2")))
    progress = store.read().bug("1.1")
    assert not progress.fixed
    assert progress.solved
    assert (progress.hints, progress.checks) == (2, 1)
