"""A lock is held by one at a time, and is gone with its holder."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import ended

from bughunt.errors import BughuntError
from bughunt.hunt.lock import locked

_NO_LOCKS = """
import errno, fcntl
def flock(*_): raise OSError(errno.ENOLCK, "No locks available")
fcntl.flock = flock
"""

_HOLD = """
import sys
from pathlib import Path
from bughunt.hunt.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_held_by_one_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(BughuntError), locked(tmp_path / "lock", patience=0):
        pass
    with locked(tmp_path / "lock", patience=0):
        pass


def test_let_go_when_the_block_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock"):
        _ = 1 // 0
    with locked(tmp_path / "lock", patience=0):
        pass


def test_let_go_when_its_holder_is_killed(tmp_path: Path) -> None:
    holder = _start(tmp_path / "lock", _HOLD)
    with holder:
        with pytest.raises(BughuntError), locked(tmp_path / "lock", patience=0):
            pass
        holder.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        holder.wait()
    with locked(tmp_path / "lock", patience=0):
        pass


def test_a_lock_that_cannot_be_made_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(OSError), locked(tmp_path / "lock", patience=3600):
        pass


needs_flock = pytest.mark.skipif(sys.platform == "win32", reason="Windows locks files by other means")


@pytest.fixture(
    params=[errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.EPERM], ids=os.strerror
)
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which files cannot be locked, as network drives and mounts into virtual machines may be."""

    def flock(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr("fcntl.flock", flock)


@needs_flock
@pytest.mark.usefixtures("no_locks")
def test_held_by_one_at_a_time_where_no_file_can_be_locked(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            locked(tmp_path / "lock"),
            pytest.raises(BughuntError, match=f"process {os.getpid()}"),
            locked(tmp_path / "lock", patience=0),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@needs_flock
def test_nobody_takes_in_one_way_what_is_held_in_the_other(tmp_path: Path) -> None:
    """The same folder may be a disk with locks for one system and without for another."""
    holder = _start(tmp_path / "lock", _NO_LOCKS + _HOLD)
    with holder, pytest.raises(BughuntError), locked(tmp_path / "lock", patience=0):
        pass


@needs_flock
def test_let_go_when_a_holder_who_announced_itself_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = _start(tmp_path / "lock", _NO_LOCKS + _HOLD)
    with holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert ended(holder.pid)
    assert len(list(tmp_path.iterdir())) == 2
    with locked(tmp_path / "lock", patience=0):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


@needs_flock
@pytest.mark.usefixtures("no_locks")
def test_another_process_with_the_number_of_the_dead_holder_holds_nothing(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"):
        [announced] = set(tmp_path.iterdir()) - {tmp_path / "lock"}
    host, system, process, born, salt = announced.name.split("_")
    if born == "0":
        pytest.skip("this system does not tell when a process began")
    (tmp_path / f"{host}_{system}_{process}_{int(born) - 1}_{salt}").touch()
    with locked(tmp_path / "lock", patience=0):
        pass


@needs_flock
@pytest.mark.usefixtures("no_locks")
def test_whoever_holds_it_on_another_machine_is_named_and_never_pushed_aside(tmp_path: Path) -> None:
    theirs = tmp_path / "lock.laptop_0123456789ab_4242_7_aa"
    theirs.touch()
    with pytest.raises(BughuntError) as caught, locked(tmp_path / "lock", patience=0):
        pass
    assert "process 4242 on laptop" in caught.value.message
    assert str(theirs) in caught.value.step
    assert theirs.exists()


_COUNT = """
import sys
from pathlib import Path
from bughunt.hunt.lock import locked
file = Path(sys.argv[1]).with_name("count")
for _ in range(25):
    with locked(Path(sys.argv[1]), patience=120):
        file.write_text(str(int(file.read_text()) + 1))
"""


@needs_flock
def test_many_who_announce_themselves_lose_no_change(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    counting = [
        subprocess.Popen([sys.executable, "-c", _NO_LOCKS + _COUNT, str(tmp_path / "lock")]) for _ in range(4)
    ]
    assert [process.wait() for process in counting] == [0] * 4
    assert (tmp_path / "count").read_text() == "100"


def _start(lock: Path, program: str) -> subprocess.Popen[bytes]:
    """A process that holds the lock until it is ended, or its input is."""
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    return holder
