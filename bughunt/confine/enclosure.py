"""Enclosing a process without bubblewrap, by namespaces alone: the same view, made by hand."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

from bughunt.confine import namespaces
from bughunt.confine.capabilities import give_up_capabilities
from bughunt.confine.kernel import die_with_parent
from bughunt.confine.linux import checked, libc, system_call
from bughunt.confine.namespaces import BIND, RECURSIVE, make_read_only, mount
from bughunt.confine.view import DEVICES, SHARED_MEMORY, View

_DETACH = 2
_NO_SET_ID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8

_SET_INTERFACE, _UP = 0x8914, 1


def leave_the_machine() -> None:
    """This process's children will be in namespaces of their own, the first of them the others' parent.

    Raises OSError where the system refuses.
    """
    kinds = (
        namespaces.MOUNT,
        namespaces.PROCESS,
        namespaces.NETWORK,
        namespaces.IPC,
        namespaces.HOSTNAME,
        namespaces.CGROUP,
    )
    namespaces.enter(sum(kinds))


def become(view: View, command: Sequence[str]) -> None:
    """In the first child after `leave_the_machine`: sees no more than `view` and becomes `command`.

    Raises OSError. What it mounts is gone with it.
    """
    die_with_parent()
    namespaces.make_private()
    root = view.scratch
    mount("tmpfs", root, "tmpfs", _NO_SET_ID | _NO_DEVICES, "mode=755")
    _fill(Path(root), view)
    make_read_only(root)
    os.chdir(root)
    system_call("pivot_root", b".", b".")
    checked(libc().umount2(b".", _DETACH))
    os.chdir(view.scratch)
    _raise_loopback()
    give_up_capabilities()
    os.execv(command[0], list(command))


def _fill(root: Path, view: View) -> None:
    proc = _below(root, "/proc")
    proc.mkdir()
    mount("proc", str(proc), "proc", _NO_SET_ID | _NO_DEVICES | _NO_PROGRAMS)
    _fill_dev(_below(root, "/dev"))
    for path, target in view.links:
        _below(root, path).parent.mkdir(parents=True, exist_ok=True)
        _below(root, path).symlink_to(target)
    for path in view.shown:
        _show(root, path)
    for path in view.masked:
        _mount_memory(_below(root, path), "size=64k,mode=755")
    limits = f"size={view.scratch_bytes},nr_inodes={view.scratch_files},mode=755"
    _mount_memory(_below(root, view.scratch), limits)
    for path in view.given:
        _show(root, path)
    for path in view.masked:
        make_read_only(str(_below(root, path)))


def _show(root: Path, path: str) -> None:
    _bind(path, _below(root, path))
    make_read_only(str(_below(root, path)), below=True)


def _fill_dev(dev: Path) -> None:
    _mount_memory(dev, "size=64k,mode=755")
    for name in DEVICES:
        _bind(f"/dev/{name}", dev / name)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        (dev / name).symlink_to(f"/proc/self/{target}")
    _mount_memory(dev / "shm", f"size={SHARED_MEMORY},mode=1777")


def _below(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _mount_memory(folder: Path, options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mount("tmpfs", str(folder), "tmpfs", _NO_SET_ID | _NO_DEVICES, options)


def _bind(source: str, target: Path) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(source, str(target), None, BIND | RECURSIVE)


def _raise_loopback() -> None:
    """Processes of one's own may talk by the network, as those of a training run do."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            fcntl.ioctl(control, _SET_INTERFACE, struct.pack("16sH14x", b"lo", _UP))
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENODEV):
                raise
