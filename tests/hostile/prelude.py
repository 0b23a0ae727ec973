"""What stands before a hostile program that needs it: where everything is, and a few ways to the kernel."""

from __future__ import annotations

import platform
from typing import Any

# Beside those that the game knows.
_MORE_CALLS = {
    "x86_64": {
        "pidfd_open": 434, "renameat2": 316, "linkat": 265, "execveat": 322, "sched_setaffinity": 203,
        "alarm": 37, "copy_file_range": 326, "splice": 275,
    },
    "aarch64": {
        "pidfd_open": 434, "renameat2": 276, "linkat": 37, "execveat": 281, "copy_file_range": 285,
        "splice": 76,
    },
}  # fmt: skip

_TEXT = """

import contextlib, ctypes, fcntl, mmap, os, pathlib, resource, shutil, signal, socket, struct, subprocess
import sys, time
T = {targets}
_calls = {calls}
_libc = ctypes.CDLL(None, use_errno=True)
def checked(result):
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def call(name, *arguments):
    return checked(_libc.syscall(ctypes.c_long(_calls[name]), *arguments))
def claim(what):
    raise RuntimeError(T["claim"] + what + ".")
def path(name):
    return ctypes.c_char_p(os.fsencode(T[name]))
def mark():
    _libc.prctl(15, T["mark"].encode(), 0, 0, 0)
def ancestors():
    pid = os.getppid()
    while pid > 1:
        yield pid
        # What is above the judge is none of this test's business.
        if pid == T["judge"]: return
        pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
"""


def prelude(targets: dict[str, Any], numbers: dict[str, dict[str, int]]) -> str:
    """For this machine; `numbers` are those of the system calls that the game knows."""
    family = "aarch64" if platform.machine() == "aarch64" else "x86_64"
    return _TEXT.format(targets=targets, calls={**numbers[family], **_MORE_CALLS[family]})
