"""The one door to git, through GitPython. Imported only by what makes workspaces."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bughunt.errors import BughuntError

# Nothing of the player's own git settings (hooks, signing, templates) has a say in a workspace's one commit.
_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
    "GIT_AUTHOR_NAME": "bughunt",
    "GIT_AUTHOR_EMAIL": "bughunt@localhost",
    "GIT_COMMITTER_NAME": "bughunt",
    "GIT_COMMITTER_EMAIL": "bughunt@localhost",
    # The same files give the same repository, so that one the player has worked in can be told.
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PYTHON_REFRESH": "quiet",
    "LC_ALL": "C",
}


def require_git() -> None:
    """Raises BughuntError when there is no git to call."""
    if shutil.which("git") is None:
        raise BughuntError(
            "git is not on the PATH, and a workspace is a git repository.",
            "Install git (https://git-scm.com/downloads) and try again.",
        )


def apply_patch(folder: Path, patch: Path) -> None:
    """Applies a unified diff to the files in `folder`. Raises BughuntError when it does not fit.

    Neighbouring patches spoil each other's context lines, so none of these has to match (`-C0`).
    """
    with _git(folder) as (git, GitCommandError):
        try:
            git.apply("-C0", "--unidiff-zero", "--whitespace=nowarn", str(patch))
        except GitCommandError as error:
            raise BughuntError(
                f"git could not apply {patch.name} in {folder}: {error.stderr.strip()}"
            ) from error


def make_repository(folder: Path, message: str) -> None:
    """Turns `folder` into a git repository of one commit that holds everything in it."""
    with _git(folder) as (git, _):
        git.init("--quiet", "--template=", "--initial-branch=main")
        git.add("--all", "--force", ".")
        git.commit("--quiet", "--no-verify", "--no-gpg-sign", f"--message={message}")


@contextmanager
def _git(folder: Path) -> Iterator[tuple[Any, Any]]:
    require_git()
    with _environment(folder):
        from git import Git, GitCommandError

        try:
            yield Git(str(folder)), GitCommandError
        except GitCommandError as error:
            raise BughuntError(
                f"git failed in {folder}: {error.stderr.strip() or error}",
                "Run `bughunt doctor` to see whether this git can be used.",
            ) from error


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """No `GIT_*` variable of the caller; no repository around `folder` is found."""
    saved = dict(os.environ)
    for name in saved:
        if name.startswith("GIT_"):
            del os.environ[name]
    os.environ.update(_SETTINGS, GIT_CEILING_DIRECTORIES=str(folder.resolve().parent))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
