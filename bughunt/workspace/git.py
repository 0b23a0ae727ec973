"""The one door to git. Imported only by what makes workspaces.

Every folder is taken literally: nothing in a path is expanded, and nothing stands in for a folder that is not
there. Before git changes anything, what it takes for the top of its repository is compared with the folder
meant. git is called directly, not through GitPython: that one looks for `$NAME` and `~` in a path, goes on in
the current folder where it finds none, and cannot keep a variable of the caller's environment from git.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bughunt.disk.files import remove_folder
from bughunt.disk.places import explained, unusable
from bughunt.errors import BughuntError

# Nothing of the player's own git settings (hooks, signing, templates) has a say in a workspace's one commit.
_SETTINGS = {
    "GIT_CONFIG_GLOBAL": str(Path(__file__).resolve().with_name("gitconfig")),
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
    "LC_ALL": "C",
}

# What `git init` writes, for a disk without permissions.
_CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = false\n\tbare = false\n"

_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


def require_git() -> None:
    """Raises BughuntError when there is no git to call."""
    if shutil.which("git") is None:
        raise BughuntError(
            "git is not on the PATH, and a workspace is a git repository.",
            "Install git (https://git-scm.com/downloads) and try again.",
        )


def run_git(folder: Path, *arguments: str, statuses: Sequence[int] = (0,)) -> bytes:
    """Runs git in the absolute `folder` and returns what it printed.

    Raises BughuntError when git cannot do it: when it ends with another status than `statuses`.
    """
    if not folder.is_absolute():
        raise ValueError(f"git is given an absolute folder, not {folder}")
    require_git()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=inherited | _SETTINGS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise _failed(folder, arguments, str(error)) from error
    if done.returncode not in statuses:
        said = done.stderr.decode(errors="replace").strip()
        raise _failed(folder, arguments, said or f"it ended with status {done.returncode}")
    return done.stdout


def make_repository(folder: Path, message: str) -> None:
    """Turns `folder` into a git repository of one commit that holds everything in it."""
    _begin_repository(folder)
    run_git(folder, "add", "--all", "--force", ".")
    run_git(folder, "commit", "--quiet", "--no-verify", "--no-gpg-sign", f"--message={message}")


def _begin_repository(folder: Path) -> None:
    try:
        run_git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    except BughuntError:
        # Where no file's permissions can be changed `git init` gives up half way, and all else of git works.
        remove_folder(folder / ".git")
        _write_repository(folder / ".git")
    _expect_top(folder)


def _write_repository(git: Path) -> None:
    with explained(git):
        for part in ("", "objects", "refs", "refs/heads"):
            (git / part).mkdir()
        (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
        (git / "config").write_text(_CONFIG, encoding="utf-8")


def _expect_top(folder: Path) -> None:
    """Raises BughuntError unless git takes `folder`, and no folder above it, for the top of a repository."""
    top = os.fsdecode(run_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n"))
    if not (top and Path(top).is_dir() and Path(top).samefile(folder)):
        raise BughuntError(
            f"git takes {top or 'nothing'} for the repository of {folder}: nothing was changed.",
            "Start the hunt in another folder.",
        )


def _failed(folder: Path, arguments: Sequence[str], why: str) -> BughuntError:
    for code in _OF_THE_DISK:
        if os.strerror(code) in why:
            return unusable(folder, OSError(code, os.strerror(code)))
    return BughuntError(
        f"git failed in {folder}: {why}", "Run `bughunt doctor` to see whether this git can be used."
    )
