"""Landlock: which files a process may read and change, and that it reaches no process but its own.

See https://docs.kernel.org/userspace-api/landlock.html; rights came version after version.
"""

from __future__ import annotations

import ctypes
import os
import stat
import weakref
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from bughunt.confine.linux import forbid_new_privileges, system_call

# From this version on a file cannot be emptied by truncating it (Linux 6.2), and from that one on no other
# process can be signalled (6.12).
KEEPS_FILES_SINCE, KEEPS_PROCESSES_SINCE = 3, 6

_ASK_FOR_VERSION = 1
_PATH_BENEATH = 1


def _bits(*numbers: int) -> int:
    return sum(1 << number for number in numbers)


_READ_FILE = _bits(2)
_WRITE_FILE, _TRUNCATE = _bits(1), _bits(14)
# Moving between folders is refused by all rules that do not allow it, whatever they are about.
_MOVE = _bits(13)
READ = _READ_FILE | _MOVE
# Remove folders and files; make folders, files, sockets, FIFOs and links.
_CHANGE_FOLDERS = _bits(4, 5, 7, 8, 9, 10, 12) | _MOVE
_OF_A_FILE = _READ_FILE | _WRITE_FILE | _TRUNCATE
# Make devices, and give them commands: nobody may.
_DEVICES = _bits(6, 11, 15)
_SINCE = {_MOVE: 2, _TRUNCATE: 3, _bits(15): 5}
_SCOPES = _bits(0, 1)  # abstract Unix sockets, signals


class _Attributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


@cache
def version() -> int:
    """The version of Landlock that this system has; 0 for none."""
    try:
        return system_call("landlock_create_ruleset", None, ctypes.c_size_t(0), _ASK_FOR_VERSION)
    except OSError:
        return 0


class Ruleset:
    """Rights that a process will need a rule for, once it has restricted itself to the rules added here."""

    def __init__(self, rights: int, scopes: int = 0) -> None:
        self._rights = _known(rights)
        attributes = _Attributes(self._rights, 0, scopes if version() >= KEEPS_PROCESSES_SINCE else 0)
        size = ctypes.sizeof(attributes) if version() >= KEEPS_PROCESSES_SINCE else 8
        self._descriptor = system_call(
            "landlock_create_ruleset", ctypes.byref(attributes), ctypes.c_size_t(size), 0
        )
        self._closing = weakref.finalize(self, os.close, self._descriptor)

    def allow(self, path: str | Path, rights: int) -> None:
        """Allows `rights` for `path` and all that is below it. Raises OSError where it is not there."""
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if not stat.S_ISDIR(os.fstat(parent).st_mode):
                rights &= _OF_A_FILE
            rule = _PathBeneath(_known(rights) & self._rights, parent)
            system_call("landlock_add_rule", self._descriptor, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(parent)

    def restrict(self) -> None:
        """Restricts this thread, and whatever it starts, for good."""
        forbid_new_privileges()
        system_call("landlock_restrict_self", self._descriptor, 0)

    def close(self) -> None:
        """Is done by itself when nobody has the rules any more."""
        self._closing()


def write_only_in(folders: Iterable[str | Path]) -> None:
    """This process changes no file but those in `folders` from now on, and signals no process but its own."""
    rights = _WRITE_FILE | _TRUNCATE | _CHANGE_FOLDERS
    rules = Ruleset(rights | _DEVICES, _SCOPES)
    for folder in folders:
        rules.allow(folder, rights)
    rules.allow(os.devnull, _WRITE_FILE | _TRUNCATE)
    rules.restrict()
    rules.close()


def all_but(hidden: Iterable[Path], shown: Iterable[Path]) -> Ruleset:
    """Rules to read every file but those below a `hidden` path; what is `shown` is readable all the same.

    Rules only allow: so everything beside the way to what is hidden is allowed, as it is there now.
    """
    hidden = {Path(os.path.realpath(path)) for path in hidden}
    on_the_way = set(ways(hidden))
    rules = Ruleset(READ)
    for folder in on_the_way:
        for path in _in(folder):
            if path not in on_the_way and path not in hidden:
                _allow_reading(rules, path)
    for path in map(Path, map(os.path.realpath, shown)):
        if path not in on_the_way:
            _allow_reading(rules, path)
    return rules


def ways(paths: Iterable[Path]) -> list[Path]:
    """The folders that are passed on the way from the root to any of `paths`, which are resolved."""
    paths = set(paths)
    folders = {folder for path in paths for folder in path.parents}
    return sorted(folder for folder in folders if not paths & {folder, *folder.parents})


def _in(folder: Path) -> list[Path]:
    with suppress(OSError):
        return list(folder.iterdir())
    return []


def _allow_reading(rules: Ruleset, path: Path) -> None:
    # What is gone already is not to be read either.
    with suppress(OSError):
        rules.allow(path, READ)


def _known(rights: int) -> int:
    for right, since in _SINCE.items():
        if version() < since:
            rights &= ~right
    return rights
