"""The state file: whatever happens to it, the game goes on from the last good copy and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bughunt.errors import BughuntError
from bughunt.hunt import events
from bughunt.hunt import store as store_module
from bughunt.hunt.lock import locked
from bughunt.hunt.progress import BugProgress
from bughunt.hunt.state import LevelRecord, State
from bughunt.hunt.store import Store

LEVEL = {"workspace": "level1", "version": "v1", "started": "2026-01-01T00:00:00+00:00", "guided": False}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A hunt that was changed twice: guided in the copy before the last change, not guided in the state."""
    store = Store(tmp_path / ".bughunt")
    for guided in (True, False):
        with store.update() as change:
            change.state.active = "level1"
            change.state.levels["level1"] = record(guided)
            change.note(events.Hint(bug="1.1", number=2 - guided))
    return store


def record(guided: bool = False) -> LevelRecord:
    return LevelRecord(**LEVEL | {"guided": guided})


def state_file(store: Store) -> Path:
    return store.folder / "state.json"


def test_what_is_saved_is_read_again(store: Store) -> None:
    again = Store(store.folder).read()
    assert again.active == "level1"
    assert again.levels == {"level1": record()}
    assert again.bugs == {"1.1": BugProgress(hints=2)}


def test_a_block_that_fails_changes_nothing(store: Store) -> None:
    def fail() -> None:
        with store.update() as change:
            change.state.active = "level2"
            change.note(events.Hint(bug="1.1", number=3))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.read().active == "level1"
    assert store.read().bug("1.1").hints == 2


def test_no_state_yet_is_an_empty_one(tmp_path: Path) -> None:
    store = Store(tmp_path / ".bughunt")
    assert store.read() == State()
    assert store.notices == []


def test_truncated_at_every_byte(store: Store) -> None:
    whole = state_file(store).read_bytes()
    for length in range(len(whole.rstrip())):
        state_file(store).write_bytes(whole[:length])
        assert_recovered(Store(store.folder), whole[:length])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 100,
        b"\xff\xfe\x00binary\x80",
        b"not JSON at all",
        b"null",
        b"[]",
        b'"a string"',
        b"{}",
        b"[" * 100_000,
        b'{"schema": 2}',
        b'{"schema": 3, "active": null, "levels": {}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": true, "active": null, "levels": {}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": "2", "active": null, "levels": {}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": 2, "active": 7, "levels": {}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": 2, "active": null, "levels": [], "log": {"lines": 0, "hash": ""}}',
        b'{"schema": 2, "active": null, "levels": {"level1": {}}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": 2, "active": null, "levels": {"level1": null}, "log": {"lines": 0, "hash": ""}}',
        b'{"schema": 2, "active": null, "levels": {}}',
        b'{"schema": 2, "active": null, "levels": {}, "log": 7}',
        b'{"schema": 2, "active": null, "levels": {}, "log": {"lines": "x", "hash": ""}}',
        b'{"schema": 2, "active": null, "levels": {}, "log": {"lines": -1, "hash": ""}}',
        b'{"schema": 1}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": 3}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"hints": "many"}}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"hints": -1}}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"hints": true}}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"hints": 1.5}}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"verdict": "splendid"}}}',
        b'{"schema": 1, "active": null, "levels": {}, "bugs": {"1.1": {"fixed_at": 5}}}',
    ],
    ids=lambda text: repr(text[:70]),
)
def test_unusable(text: bytes, store: Store) -> None:
    state_file(store).write_bytes(text)
    assert_recovered(store, text)


@pytest.mark.parametrize("depth", [100, 300, 450, 900, 990, 2000, 50_000])
def test_nested_however_deep(depth: int, store: Store) -> None:
    """Python reads and writes only so much; where that ends differs from version to version."""
    nested = "[" * depth + "]" * depth
    text = f'{{"schema": 2, "levels": {{}}, "log": {{"lines": 0, "hash": ""}}, "x": {nested}}}'
    state_file(store).write_text(text)
    with store.update() as change:
        change.state.active = "level2"
    assert Store(store.folder).read().active == "level2"


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".bughunt", "../elsewhere", "/etc", "a/b", "a\\b", "x\0", "y" * 300]
)
def test_a_workspace_outside_the_hunt(name: str, store: Store) -> None:
    document = json.loads(state_file(store).read_text())
    document["levels"]["level1"]["workspace"] = name
    text = json.dumps(document).encode()
    state_file(store).write_bytes(text)
    assert_recovered(store, text)


def assert_recovered(store: Store, text: bytes) -> None:
    """The copy before the last change is in use; the unusable text is kept, and the notice says where."""
    for path in store.folder.glob("state.unusable-*"):
        path.unlink()
    state = store.read()
    assert state.levels["level1"].guided
    assert state.bug("1.1").hints == 2
    [kept] = store.folder.glob("state.unusable-*")
    assert kept.read_bytes() == text
    [notice] = store.notices
    assert str(kept) in notice
    assert "last change" in notice
    assert Store(store.folder).read() == state


def test_a_missing_state_is_taken_from_the_copy(store: Store) -> None:
    state_file(store).unlink()
    assert store.read().levels["level1"].guided
    assert "missing" in store.notices[0]


def test_nothing_left_to_recover_from(store: Store) -> None:
    store.log.path.unlink()
    state_file(store).write_bytes(b"garbled")
    (store.folder / "state.previous.json").write_bytes(b"garbled, too")
    assert store.read() == State()
    [notice] = store.notices
    kept = {path.read_bytes(): path for path in store.folder.glob("state.unusable-*")}
    assert kept.keys() == {b"garbled", b"garbled, too"}
    assert all(str(path) in notice for path in kept.values())
    assert "are lost" in notice
    assert "start LEVEL" in notice


def test_without_a_state_file_the_log_tells_what_was_played(store: Store) -> None:
    with store.update() as change:
        change.note(
            events.Start(
                level="level2", how="new", bugs=("2.1",), workspace="level2", made_from="v2", guided=True
            )
        )
    state_file(store).unlink()
    (store.folder / "state.previous.json").write_bytes(b"garbled")
    state = store.read()
    assert (state.active, state.bug("1.1").hints) == ("level2", 2)
    assert (state.levels["level2"].version, state.levels["level2"].guided) == ("v2", True)
    assert "taken from the log" in store.notices[0]


def test_a_log_that_names_a_folder_elsewhere_is_not_believed(store: Store) -> None:
    with store.update() as change:
        change.note(events.Start(level="level2", how="new", bugs=(), workspace="../x", made_from="v2"))
    for file in store.folder.glob("state*"):
        file.unlink()
    assert store.read().levels == {}


def test_recovered_in_the_middle_of_an_update(store: Store) -> None:
    state_file(store).write_bytes(b"garbled")
    with store.update() as change:
        change.note(events.Hint(bug="1.1", number=3))
    assert Store(store.folder).read().bug("1.1").hints == 3
    assert store.notices


def test_unknown_keys_are_kept(store: Store) -> None:
    document = json.loads(state_file(store).read_text())
    document["theme"] = {"dark": [1, 2.5, None]}
    document["lone surrogate"] = "\ud800"
    document["levels"]["level1"]["note"] = "Zoë"
    state_file(store).write_text(json.dumps(document))
    with store.update() as change:
        change.state.active = "level2"
    assert json.loads(state_file(store).read_text()) == document | {"active": "level2"}
    assert store.notices == []


def test_a_folder_where_the_state_should_be(store: Store) -> None:
    state_file(store).unlink()
    state_file(store).mkdir()
    with pytest.raises(BughuntError) as caught:
        store.read()
    assert str(state_file(store)) in caught.value.message
    with pytest.raises(BughuntError), store.update():
        pass


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / ".bughunt").write_text("in the way")
    with pytest.raises(BughuntError) as caught, Store(tmp_path / ".bughunt").update():
        pass
    assert str(tmp_path / ".bughunt") in caught.value.message
    assert caught.value.step


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, where nobody can make a folder")
def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(BughuntError) as caught, Store(Path("/proc/bughunt/.bughunt")).update():
        pass
    assert "/proc/bughunt" in caught.value.message


def test_a_lock_that_is_held_is_waited_for_a_bounded_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "locked", lambda path: locked(path, patience=0.05))
    with locked(store.folder / "lock"), pytest.raises(BughuntError) as caught, store.update():
        pass
    assert "Another bughunt command" in caught.value.message
    with store.update() as change:
        assert change.state.bug("1.1").hints == 2


def test_reading_waits_for_nobody(store: Store) -> None:
    with locked(store.folder / "lock"):
        assert store.read().bug("1.1").hints == 2


_COUNT = """
import sys
from pathlib import Path
from bughunt.hunt.store import Store
from bughunt.hunt.events import Check
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with store.update() as change:
        change.note(Check(bug="1.1", verdict="broken", seed=1))
assert not store.notices, store.notices
"""


def test_two_processes_lose_no_change(store: Store) -> None:
    each = 30
    counters = [
        subprocess.Popen(
            [sys.executable, "-c", _COUNT, str(store.folder), str(each)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for counter in counters:
        assert counter.stdout is not None
        assert counter.stdout.readline() == "ready\n"
    for counter in counters:
        assert counter.stdin is not None
        counter.stdin.write("\n")
        counter.stdin.flush()
    for _ in range(50):
        assert store.read().bug("1.1").hints == 2
    for counter in counters:
        assert counter.wait(60) == 0
        for stream in (counter.stdin, counter.stdout):
            assert stream is not None
            stream.close()
    assert store.read().bug("1.1").checks == each * len(counters)
    assert store.notices == []
