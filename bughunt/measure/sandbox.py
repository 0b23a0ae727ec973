"""Which sandbox this system has: bubblewrap where it is installed and works, else namespaces of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from bughunt.confine import hold
from bughunt.confine.view import View
from bughunt.disk.places import temporary_folder
from bughunt.measure.environment import child_command, child_environment
from bughunt.measure.visible import view_of
from bughunt.search_path import trusted_search_path

Way = Literal["bubblewrap", "namespaces"]
WAYS: tuple[Way, ...] = ("bubblewrap", "namespaces")


def lacking() -> str | None:
    """What this system lacks for a sandbox, or None."""
    if sys.platform != "linux":
        return "it takes Linux's namespaces, Landlock and seccomp"
    if missing := hold.lacking():
        return f"this system lacks {' and '.join(missing)}"
    if way() is None:
        return f"this system does not let a user make namespaces ({trouble_with('namespaces')})"
    return None


def way() -> Way | None:
    """The way that is taken here: the first that works."""
    if sys.platform != "linux" or hold.lacking():
        return None
    return next((one for one in WAYS if trouble_with(one) is None), None)


def is_closed_to(folder: Path) -> bool:
    """Can a process without powers, as in a sandbox, not read `folder`? For root alone that is a question."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    needed = [(folder, 0o005), *((parent, 0o001) for parent in folder.parents)]
    return any(
        status.st_uid != 0 and status.st_mode & bits != bits
        for status, bits in ((path.stat(), bits) for path, bits in needed)
    )


@cache
def trouble_with(way: Way) -> str | None:
    """Why this way is not to be had here, or None: it is tried out."""
    with temporary_folder() as folder:
        for name in ("workspace", "kit", "scratch"):
            (folder / name).mkdir()
        view = view_of(str(folder / "workspace"), str(folder / "scratch"), str(folder / "kit"), [], [])
        tried = subprocess.run(
            enclosed(way, view, str(folder), [], [sys.executable, "-ES", "-c", ""]),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=child_environment(str(folder)),
        )
    if tried.returncode == 0:
        return None
    return (tried.stderr.strip().split("\n")[-1] or f"exit status {tried.returncode}")[:200]


def enclosed(
    way: Way, view: View, folder: str, descriptors: Sequence[int], command: Sequence[str]
) -> list[str]:
    """The command that runs `command` in a sandbox, and removes `folder` if this process is gone by then."""
    return [
        *child_command("bughunt.measure.enclosed", trusted_search_path()),
        *(way, str(os.getpid()), folder, view.to_json(), ",".join(map(str, descriptors)), *command),
    ]
