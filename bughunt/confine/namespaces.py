"""Namespaces: a view of the machine of one's own, which any user may have where the system lets them.

See https://man7.org/linux/man-pages/man7/user_namespaces.7.html.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from bughunt.confine.kernel import allow_tracing, forbid_tracing
from bughunt.confine.linux import checked, libc

USER, MOUNT = 0x10000000, 0x00020000
PROCESS, NETWORK, IPC, HOSTNAME, CGROUP = 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000

_PRIVATE, _RECURSIVE = 1 << 18, 1 << 14
_NO_SET_ID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8


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


def have_private_shared_memory(size: int) -> None:
    """Mounts shared memory of this process's own, `size` bytes at most, in a mount namespace of its own."""
    enter(MOUNT)
    make_private()
    mount("tmpfs", "/dev/shm", "tmpfs", _NO_SET_ID | _NO_DEVICES | _NO_PROGRAMS, f"size={size}")


def make_private() -> None:
    """What is mounted from now on is mounted for this mount namespace alone."""
    mount(None, "/", None, _PRIVATE | _RECURSIVE)


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """mount(2). Raises OSError."""
    source_, kind_, options_ = (None if one is None else os.fsencode(one) for one in (source, kind, options))
    try:
        checked(libc().mount(source_, os.fsencode(target), kind_, ctypes.c_ulong(flags), options_))
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from None
