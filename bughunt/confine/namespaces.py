"""Namespaces: a view of the machine of one's own, which any user may have where the system lets them.

See https://man7.org/linux/man-pages/man7/user_namespaces.7.html.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from bughunt.confine.kernel import allow_tracing, forbid_tracing
from bughunt.confine.linux import checked, libc, system_call

USER, MOUNT = 0x10000000, 0x00020000
PROCESS, NETWORK, IPC, HOSTNAME, CGROUP = 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000

BIND, RECURSIVE, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_READ_ONLY, _NO_SET_ID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_HERE, _AND_BELOW = -100, 0x8000


class _MountAttributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "namespace"))


def enter(kinds: int) -> None:
    """Enters new namespaces, a user namespace among them, as who this process is. It must have one thread.

    Raises OSError where the system refuses.
    """
    user, group = os.geteuid(), os.getegid()
    # A process that forbids tracing cannot write to its own files in /proc.
    allow_tracing()
    try:
        checked(libc().unshare(USER | kinds))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        forbid_tracing()
        raise


def have_own_mounts(shared_memory: int, only_read: Iterable[str]) -> None:
    """Mounts shared memory of this process's own, so many bytes at most, and the folders to be `only_read`.

    It is in a user and a mount namespace of its own from then on. Raises OSError where the system refuses.
    """
    enter(MOUNT)
    make_private()
    mount("tmpfs", "/dev/shm", "tmpfs", _NO_SET_ID | _NO_DEVICES | _NO_PROGRAMS, f"size={shared_memory}")
    for folder in only_read:
        mount(folder, folder, None, BIND | RECURSIVE)
        make_read_only(folder, below=True)


def make_read_only(mounted: str, *, below: bool = False) -> None:
    """What is mounted there can only be read, and what is mounted `below` it. Raises OSError."""
    attributes = _MountAttributes(_READ_ONLY | _NO_SET_ID, 0, 0, 0)
    system_call(
        "mount_setattr",
        _HERE,
        os.fsencode(mounted),
        _AND_BELOW if below else 0,
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )


def make_private() -> None:
    """What is mounted from now on is mounted for this mount namespace alone."""
    mount(None, "/", None, _PRIVATE | RECURSIVE)


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2). Raises OSError."""
    source_, kind_, options_ = (None if one is None else os.fsencode(one) for one in (source, kind, options))
    try:
        checked(libc().mount(source_, os.fsencode(target), kind_, ctypes.c_ulong(flags), options_))
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from None
