"""A lock is held by one at a time, and is gone with its holder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bughunt.errors import BughuntError
from bughunt.hunt.lock import locked

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
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
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
