"""A lock on a file, held by one at a time, waited for a bounded time, gone when its holder dies.

Some disks (network drives, mounts into a virtual machine) have no locks on files. There the holder announces
itself instead: see `bughunt.hunt.announced`.
"""

from __future__ import annotations

import errno
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bughunt.disk.files import UNSUPPORTED
from bughunt.disk.kinds import open_own
from bughunt.errors import BughuntError
from bughunt.hunt.announced import Holder, announce, holder

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


PATIENCE_SECONDS = 10.0

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)

_LetGo = Callable[[], None]


@contextmanager
def locked(path: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Holds the lock file at `path`; raises BughuntError when another process keeps it too long."""
    descriptor = open_own(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + patience
        while not callable(taken := _take(descriptor, path)):
            if time.monotonic() > deadline:
                raise _held(taken)
            # Two that announce themselves at once both give way: chance parts them.
            time.sleep(0.01 + 0.02 * random.random())
        try:
            yield
        finally:
            taken()
    finally:
        os.close(descriptor)


def locks_on_files(path: Path) -> bool:
    """Can files be locked where the lock file `path` is? (If not, who holds it announces itself.)"""
    descriptor = open_own(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _try_lock(descriptor)
    except OSError as error:
        return error.errno not in UNSUPPORTED
    finally:
        os.close(descriptor)
    return True


def _take(descriptor: int, path: Path) -> _LetGo | Holder | None:
    """Takes the lock and returns what lets it go; or says who has it, as far as that is known."""
    try:
        _try_lock(descriptor)
    except OSError as error:
        if error.errno in _HELD:
            return None
        if error.errno not in UNSUPPORTED:
            raise
        return announce(path)
    # Somebody for whom the files here cannot be locked may hold it in the other way.
    other = holder(path)
    if other is not None:
        _unlock(descriptor)
        return other
    return lambda: _unlock(descriptor)


def _held(by: Holder | None) -> BughuntError:
    who = f" (process {by.process} on {by.host})" if by else ""
    message = f"Another bughunt command{who} is changing this hunt and has not finished."
    if by and not by.here:
        return BughuntError(
            message, f"Let it finish; if nothing of the game runs on {by.host} any more, remove {by.file}."
        )
    return BughuntError(message, "Let it finish, or end it, and try again.")
