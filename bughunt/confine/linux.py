"""System calls by their names, for what Python's own library does not offer."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache
from typing import Any

from bughunt.confine.syscalls import NUMBERS

_PR_SET_NO_NEW_PRIVS = 38


@cache
def libc() -> ctypes.CDLL:
    """The C library, as loaded into this process."""
    return ctypes.CDLL(None, use_errno=True)


def machine() -> str | None:
    """The processor's family, if its system calls are known here: "x86_64" or "aarch64" under Linux."""
    name = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    return name if sys.platform == "linux" and name in NUMBERS and sys.maxsize > 1 << 32 else None


def number_of(name: str) -> int | None:
    """A system call's number on this machine; None where it has no such call."""
    family = machine()
    return None if family is None else NUMBERS[family].get(name)


def system_call(name: str, *arguments: Any) -> int:
    """Makes a system call. Raises OSError where it fails, or is not known on this machine."""
    number = number_of(name)
    if number is None:
        raise OSError(38, f"the system call {name} is not known here")
    return checked(libc().syscall(ctypes.c_long(number), *arguments))


def checked(result: int) -> int:
    """The result of a call into the C library. Raises OSError where it says that it failed."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def forbid_new_privileges() -> None:
    """No program that this process starts has more rights than it: set-user-id bits do nothing."""
    checked(libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
