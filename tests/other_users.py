"""Being somebody else on this machine, where the tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache

# Who has no files and no powers here.
NOBODY = 65534


def as_user(user: int | None) -> list[str]:
    """What stands before a command that another user gives."""
    if user is None:
        return []
    return ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]


@cache
def trouble_as(user: int) -> str | None:
    """Why this user cannot play here, or None."""
    if os.geteuid() != 0:
        return "the tests do not run as root"
    if shutil.which("setpriv") is None:
        return "there is no setpriv"
    # The game starts Python anew: one that only root can find is found by root's means the first time alone.
    again = "import bughunt.cli.main, torch"
    tried = subprocess.run(
        [
            *(*as_user(user), sys.executable, "-c"),
            f"import subprocess, sys; subprocess.run([sys.executable, '-c', {again!r}], check=True)",
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    return None if tried.returncode == 0 else f"user {user} cannot run this Python"
