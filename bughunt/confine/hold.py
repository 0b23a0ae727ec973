"""All that holds a process that runs code of somebody's: taken on by the process itself, for good."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from bughunt.confine import capabilities, landlock, namespaces, refusals, seccomp
from bughunt.confine.kernel import die_with_parent
from bughunt.confine.view import DEVICES, SHARED_MEMORY

# Devices are terminals, at which somebody may be typing, and disks; these are all that is read of them.
_DEVICES, _SHARED = "/dev", "/dev/shm"
_READABLE_DEVICES = tuple(f"{_DEVICES}/{name}" for name in DEVICES)


def hold(
    writable: Sequence[str],
    kept: Sequence[str],
    hidden: Sequence[str],
    shown: Sequence[str],
    *,
    has_own_view: bool = False,
) -> None:
    """Holds this process, which must have one thread, for good.

    It changes files in `writable` folders alone, and none in those of their folders that are `kept`; reads
    nothing that is `hidden` (unless that is `shown`); reaches no process but those it starts, and has no
    power over the machine. A means that the system lacks is left out: see `lacking`. One that `has_own_view`
    is in namespaces of its own already.
    """
    if sys.platform != "linux":
        return
    # Without its powers root reaches no folder of somebody else's, and they end with its namespace.
    power = capabilities.ANYBODYS_FILES if os.geteuid() == 0 and _somebody_elses(writable) else 0
    if has_own_view:
        writable = [*writable, _SHARED]
    elif not power:
        # Not everywhere to be had: then nothing is written to the shared memory of others, either.
        with suppress(OSError):
            namespaces.have_own_mounts(SHARED_MEMORY, kept)
            writable = [*writable, _SHARED]
            die_with_parent()
    with suppress(OSError):
        capabilities.give_up_capabilities(but=power)
    if landlock.version():
        landlock.write_only_in(writable)
        if hidden:
            rules = _reading(tuple(hidden), tuple(shown), _state_of(hidden))
            if _SHARED in writable:
                # What is mounted there is not what was there when these rules were made.
                rules.allow(_SHARED, landlock.READ)
            rules.restrict()
    with suppress(OSError):
        seccomp.forbid(refusals.rules())


def _somebody_elses(folders: Sequence[str]) -> bool:
    return any(Path(folder).stat().st_uid != os.geteuid() for folder in folders)


def prepare(hidden: Sequence[str], shown: Sequence[str]) -> None:
    """Does beforehand what takes a while, for forks of this process that will `hold` themselves so."""
    if hidden and landlock.version():
        _reading(tuple(hidden), tuple(shown), _state_of(hidden))


def lacking() -> list[str]:
    """What of all this the system lacks, in words: empty where a process can be held wholly."""
    found = []
    if landlock.version() < landlock.KEEPS_FILES_SINCE:
        found.append(f"Landlock of version {landlock.KEEPS_FILES_SINCE} (Linux 6.2)")
    try:
        seccomp.assemble(refusals.rules())
    except OSError:
        found.append("a filter for system calls")
    return found


@lru_cache(maxsize=4)
def _reading(hidden: tuple[str, ...], shown: tuple[str, ...], state: tuple[int, ...]) -> landlock.Ruleset:
    """Made once for as long as nothing beside the way to what is hidden comes or goes: it takes a while."""
    return landlock.all_but(map(Path, (*hidden, _DEVICES)), map(Path, (*shown, *_READABLE_DEVICES)))


def _state_of(hidden: Sequence[str]) -> tuple[int, ...]:
    return tuple(folder.stat().st_mtime_ns for folder in landlock.ways(map(Path, hidden)))
