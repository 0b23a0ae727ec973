"""Holding a lock by announcing it, for disks on which no file can be locked.

Whoever wants it puts a file beside the lock whose name says who that is, and then looks: with nobody else
there it is held; otherwise the file is taken away again. So two never hold it at once: the later one of them
sees the other. Names are never used again, so that the file of somebody who died can be removed by anybody.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_NAME = re.compile(
    r"(?P<host>[A-Za-z0-9-]*)_(?P<system>[0-9a-f]+)_(?P<process>[0-9]+)_(?P<born>[0-9]+)_[0-9a-f]+"
)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, or wants it. `here` says that it is (or was) a process of this very system."""

    file: Path
    host: str
    process: int
    born: int
    here: bool


def announce(lock: Path) -> Callable[[], None] | Holder:
    """Takes the lock and returns what lets it go, or says who has it."""
    other = holder(lock)
    if other is not None:
        return other
    process = os.getpid()
    name = f"{_host()}_{_system()}_{process}_{_born(process)}_{os.urandom(6).hex()}"
    ours = lock.with_name(f"{lock.name}.{name}")
    os.close(os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    try:
        other = holder(lock, but=ours)
    except BaseException:
        ours.unlink()
        raise
    if other is not None:
        ours.unlink()
        return other
    return ours.unlink


def holder(lock: Path, but: Path | None = None) -> Holder | None:
    """Who holds the lock, or is about to. What those who died have left is removed."""
    for one in _announced(lock):
        if one.file == but:
            continue
        if not one.here or _lives(one):
            return one
        with suppress(FileNotFoundError):
            one.file.unlink()
    return None


def _announced(lock: Path) -> Iterator[Holder]:
    for name in sorted(os.listdir(lock.parent)):  # noqa: PTH208 (a listing of the moment)
        found = _NAME.fullmatch(name.removeprefix(f"{lock.name}."))
        if found and name.startswith(f"{lock.name}."):
            here = found["system"] == _system()
            process, born = int(found["process"]), int(found["born"])
            yield Holder(lock.with_name(name), found["host"], process, born, here)


def _lives(one: Holder) -> bool:
    """Does a process of this system still run? One that only has the same number does not count."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(one.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return one.born == (_born(one.process) or one.born)


def _born(process: int) -> int:
    """When a process began, in the system's own count; 0 where that cannot be found out."""
    try:
        # The name of the program, in brackets, may hold anything.
        return int(Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


@cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", platform.node())[:40]


@cache
def _system() -> str:
    """Tells one running system from another: its name, when it was started, whose processes it counts."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
