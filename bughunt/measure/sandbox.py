"""`check --sandbox`: the measuring process confined by Linux, without root and without helpers.

No network (a network namespace of its own), nothing writable but its scratch folder, no signal to any
process but its own (both Landlock: https://docs.kernel.org/userspace-api/landlock.html). The process takes
this on itself, for good, before any code of the workspace runs.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_ASK_FOR_VERSION = 1

# Landlock's rights to change files, as they came in version after version: write, remove and make in the
# first, then link across folders, truncate, and control devices.
_WRITE, _REMOVE_AND_MAKE, _REFER, _TRUNCATE = 1 << 1, sum(1 << bit for bit in range(4, 13)), 1 << 13, 1 << 14
_SCOPE_SIGNALS = 1 << 1
_SIGNALS_SINCE = 6
# The first version in which a file cannot be emptied by truncating it.
_VERSION_NEEDED = 3


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def lacking() -> str | None:
    """What this system lacks for a sandbox, or None. It is tried out in a process of its own."""
    if sys.platform != "linux":
        return "it takes Linux's namespaces and Landlock"
    version = _landlock_version()
    if version < _VERSION_NEEDED:
        return f"it takes Landlock version {_VERSION_NEEDED} or newer (Linux 6.2); found: {version or 'none'}"
    if not _works_in_a_fork(_leave_the_network):
        return "this system does not let a user make a network namespace"
    return None


def confine(scratch: str) -> None:
    """Confines this process, which must have one thread. Raises OSError where the system refuses."""
    _leave_the_network()
    _write_only_below(scratch)


def _leave_the_network() -> None:
    _checked(_libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNET))


def _write_only_below(folder: str) -> None:
    rights = _WRITE | _REMOVE_AND_MAKE | _REFER | _TRUNCATE
    version = _landlock_version()
    rules = _Ruleset(rights, 0, _SCOPE_SIGNALS if version >= _SIGNALS_SINCE else 0)
    size = ctypes.sizeof(rules) if version >= _SIGNALS_SINCE else ctypes.sizeof(ctypes.c_uint64)
    ruleset = _checked(_libc().syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0))
    try:
        for path, allowed in ((folder, rights), (os.devnull, _WRITE | _TRUNCATE)):
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = _PathBeneath(allowed, descriptor)
            _checked(_libc().syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0))
            os.close(descriptor)
        _checked(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _checked(_libc().syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _landlock_version() -> int:
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION)))


def _works_in_a_fork(action: Callable[[], None]) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
