"""Root's powers, given up: a process without capabilities can trace, read and signal no more than others.

See https://man7.org/linux/man-pages/man7/capabilities.7.html.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

from bughunt.confine.linux import checked, forbid_new_privileges, libc, system_call

_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT, _CLEAR_ALL = 47, 4
# Being root gives nothing (NOROOT), changing one's user changes nothing (NO_SETUID_FIXUP): both for good.
_ROOT_IS_NOBODY = 0b1111
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


# To read and write files whoever they belong to.
ANYBODYS_FILES = 1 << 1 | 1 << 2


def give_up_capabilities(but: int = 0) -> None:
    """Gives up every capability but those; what this process will start has none. Raises OSError."""
    prctl = libc().prctl
    capability = 0
    while prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) >= 0:
        # Who may not drop one has none to drop: what follows makes it sure.
        prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        capability += 1
    prctl(_PR_SET_SECUREBITS, _ROOT_IS_NOBODY, 0, 0, 0)
    with suppress(OSError):
        checked(prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0))
    # Effective, permitted and inheritable: the lower halves, then the upper ones.
    header, kept = _Header(_VERSION_3, 0), (ctypes.c_uint32 * 6)(but, but)
    system_call("capset", ctypes.byref(header), ctypes.byref(kept))
    forbid_new_privileges()
