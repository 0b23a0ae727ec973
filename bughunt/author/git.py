"""The one place where the author's tools call git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from bughunt.errors import BughuntError


def run_git(folder: Path, *arguments: str, statuses: tuple[int, ...] = (0,)) -> bytes:
    """What a git command prints when it runs in `folder`, an absolute path that is never expanded.

    Neither the user's settings nor a repository further up than `folder` has a say in it. Raises BughuntError
    when git is missing or ends with another status than those given.
    """
    if not folder.is_absolute():
        raise ValueError(f"git needs an absolute folder, not {folder}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
        # On some mounts every file belongs to somebody else, and git would refuse.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise BughuntError("git is not installed, or not on the PATH") from error
    if done.returncode not in statuses:
        said = done.stderr.decode(errors="replace").strip()
        raise BughuntError(f"git {arguments[0]} ended with status {done.returncode} in {folder}: {said}")
    return done.stdout
