"""The state file: whatever happens to it, the game goes on from the last good copy and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bughunt.errors import BughuntError
from bughunt.hunt import progress as progress_module
from bughunt.hunt.lock import locked
from bughunt.hunt.progress import BugProgress, LevelProgress, Progress, State, merge_snapshot, snapshot

LEVEL = {"workspace": "level1", "version": "v1", "started": "2026-01-01T00:00:00+00:00", "guided": False}


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    """A state that was changed twice: one hint in the copy before the last change, two in the state."""
    progress = Progress(tmp_path / ".bughunt")
    with progress.update() as state:
        state.active = "level1"
        state.levels["level1"] = LevelProgress(**LEVEL)
        state.bug("1.1").hints = 1
    with progress.update() as state:
        state.bug("1.1").hints = 2
    return progress


def state_file(progress: Progress) -> Path:
    return progress.folder / "state.json"


def test_what_is_saved_is_read_again(progress: Progress) -> None:
    again = Progress(progress.folder).read()
    assert again.active == "level1"
    assert again.levels == {"level1": LevelProgress(**LEVEL)}
    assert again.bugs == {"1.1": BugProgress(hints=2)}


def test_a_block_that_fails_changes_nothing(progress: Progress) -> None:
    with pytest.raises(ZeroDivisionError), progress.update() as state:
        state.bug("1.1").hints = 9 // 0
    assert progress.read().bugs["1.1"].hints == 2


def test_no_state_yet_is_an_empty_one(tmp_path: Path) -> None:
    progress = Progress(tmp_path / ".bughunt")
    assert progress.read() == State()
    assert progress.notices == []


def test_truncated_at_every_byte(progress: Progress) -> None:
    whole = state_file(progress).read_bytes()
    for length in range(len(whole.rstrip())):
        state_file(progress).write_bytes(whole[:length])
        assert_recovered(Progress(progress.folder), whole[:length])


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
        b'{"schema": 1}',
        b'{"schema": 2, "active": null, "levels": {}, "bugs": {}}',
        b'{"schema": true, "active": null, "levels": {}, "bugs": {}}',
        b'{"schema": "1", "active": null, "levels": {}, "bugs": {}}',
        b'{"schema": 1, "active": 7, "levels": {}, "bugs": {}}',
        b'{"schema": 1, "active": null, "levels": [], "bugs": {}}',
        b'{"schema": 1, "active": null, "levels": {"level1": {}}, "bugs": {}}',
        b'{"schema": 1, "active": null, "levels": {"level1": null}, "bugs": {}}',
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
def test_unusable(text: bytes, progress: Progress) -> None:
    state_file(progress).write_bytes(text)
    assert_recovered(progress, text)


@pytest.mark.parametrize("depth", [100, 300, 450, 900, 990, 2000, 50_000])
def test_nested_however_deep(depth: int, progress: Progress) -> None:
    """Python reads and writes only so much; where that ends differs from version to version."""
    text = '{"schema": 1, "levels": {}, "bugs": {"1.1": {"hints": 1}}, "x": %s}' % ("[" * depth + "]" * depth)
    state_file(progress).write_text(text)
    with progress.update() as state:
        state.bug("1.1").hints += 1
    assert Progress(progress.folder).read().bugs["1.1"].hints == 2


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".bughunt", "../elsewhere", "/etc", "a/b", "a\\b", "x\0", "y" * 300]
)
def test_a_workspace_outside_the_hunt(name: str, progress: Progress) -> None:
    document = json.loads(state_file(progress).read_text())
    document["levels"]["level1"]["workspace"] = name
    text = json.dumps(document).encode()
    state_file(progress).write_bytes(text)
    assert_recovered(progress, text)


def assert_recovered(progress: Progress, text: bytes) -> None:
    """The copy before the last change is in use; the unusable text is kept, and the notice says where."""
    for path in progress.folder.glob("state.unusable-*"):
        path.unlink()
    state = progress.read()
    assert state.bugs["1.1"].hints == 1
    [kept] = progress.folder.glob("state.unusable-*")
    assert kept.read_bytes() == text
    [notice] = progress.notices
    assert str(kept) in notice
    assert "last change" in notice
    assert Progress(progress.folder).read() == state


def test_a_missing_state_is_taken_from_the_copy(progress: Progress) -> None:
    state_file(progress).unlink()
    assert progress.read().bugs["1.1"].hints == 1
    assert "missing" in progress.notices[0]


def test_nothing_left_to_recover_from(progress: Progress) -> None:
    state_file(progress).write_bytes(b"garbled")
    (progress.folder / "state.previous.json").write_bytes(b"garbled, too")
    assert progress.read() == State()
    [notice] = progress.notices
    kept = {path.read_bytes(): path for path in progress.folder.glob("state.unusable-*")}
    assert kept.keys() == {b"garbled", b"garbled, too"}
    assert all(str(path) in notice for path in kept.values())
    assert "are lost" in notice
    assert "start LEVEL" in notice


def test_recovered_in_the_middle_of_an_update(progress: Progress) -> None:
    state_file(progress).write_bytes(b"garbled")
    with progress.update() as state:
        state.bug("1.1").hints += 10
    assert Progress(progress.folder).read().bugs["1.1"].hints == 11
    assert progress.notices


def test_unknown_keys_are_kept(progress: Progress) -> None:
    document = json.loads(state_file(progress).read_text())
    document["theme"] = {"dark": [1, 2.5, None]}
    document["lone surrogate"] = "\ud800"
    document["levels"]["level1"]["note"] = "Zoë"
    document["bugs"]["1.1"]["rating"] = 5
    state_file(progress).write_text(json.dumps(document))
    with progress.update() as state:
        state.bug("1.1").checks += 1
    document["bugs"]["1.1"]["checks"] = 1
    assert json.loads(state_file(progress).read_text()) == document | {
        "bugs": {"1.1": {**document["bugs"]["1.1"], "hints": 2}}
    }
    assert progress.notices == []


def test_a_folder_where_the_state_should_be(progress: Progress) -> None:
    state_file(progress).unlink()
    state_file(progress).mkdir()
    with pytest.raises(BughuntError) as caught:
        progress.read()
    assert str(state_file(progress)) in caught.value.message
    with pytest.raises(BughuntError), progress.update():
        pass


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / ".bughunt").write_text("in the way")
    with pytest.raises(BughuntError) as caught, Progress(tmp_path / ".bughunt").update():
        pass
    assert str(tmp_path / ".bughunt") in caught.value.message
    assert caught.value.step


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, where nobody can make a folder")
def test_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(BughuntError) as caught, Progress(Path("/proc/bughunt/.bughunt")).update():
        pass
    assert "/proc/bughunt" in caught.value.message


def test_a_lock_that_is_held_is_waited_for_a_bounded_time(
    progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_module, "locked", lambda path: locked(path, patience=0.05))
    with locked(progress.folder / "lock"), pytest.raises(BughuntError) as caught, progress.update():
        pass
    assert "Another bughunt command" in caught.value.message
    with progress.update() as state:
        assert state.bugs["1.1"].hints == 2


def test_reading_waits_for_nobody(progress: Progress) -> None:
    with locked(progress.folder / "lock"):
        assert progress.read().bugs["1.1"].hints == 2


_COUNT = """
import sys
from pathlib import Path
from bughunt.hunt.progress import Progress
progress = Progress(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    with progress.update() as state:
        state.bug("1.1").checks += 1
assert not progress.notices, progress.notices
"""


def test_two_processes_lose_no_change(progress: Progress) -> None:
    each = 30
    counters = [
        subprocess.Popen(
            [sys.executable, "-c", _COUNT, str(progress.folder), str(each)],
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
        assert progress.read().bugs["1.1"].hints == 2
    for counter in counters:
        assert counter.wait(60) == 0
        for stream in (counter.stdin, counter.stdout):
            assert stream is not None
            stream.close()
    assert progress.read().bugs["1.1"].checks == each * len(counters)
    assert progress.notices == []


def test_a_snapshot_takes_nothing_back() -> None:
    then, later = State(), State()
    then.levels["level1"] = LevelProgress(**LEVEL)
    then.bugs["1.1"] = BugProgress("fixed", "then", hints=1, checks=5)
    kept = json.loads(json.dumps(snapshot(then, "level1", ["1.1", "1.2"])))
    later.bugs["1.1"] = BugProgress("broken", None, hints=3, checks=1, solution_opened="later")
    merge_snapshot(later, "level1", kept)
    assert later.levels == then.levels
    assert later.bugs["1.1"] == BugProgress("broken", "then", hints=3, checks=5, solution_opened="later")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"level": 3},
        {"level": {**LEVEL, "workspace": "../x"}},
        {"bugs": []},
        {"bugs": {"1.1": None}},
        {"bugs": {"1.1": {"hints": "x"}}},
    ],
    ids=repr,
)
def test_an_edited_snapshot_does_no_harm(data: dict[str, Any]) -> None:
    state = State()
    merge_snapshot(state, "level1", data)
    assert state.levels == {}
    assert state.bugs in ({}, {"1.1": BugProgress()})
