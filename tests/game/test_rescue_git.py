"""What the player did with git in a workspace is kept, too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from editing import LOADER, TOKENIZER, edit, git

from bughunt.hunt.hunt import Hunt


def commit(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "commit", "-qam", "mine")
    return git(workspace, "rev-parse", "HEAD")


def branch(workspace: Path) -> str:
    git(workspace, "branch", "idea")
    return git(workspace, "rev-parse", "idea")


def stash(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "stash", "-q")
    return git(workspace, "stash", "show", "-p")


def stage(workspace: Path) -> str:
    edit(workspace)
    git(workspace, "add", TOKENIZER)
    git(workspace, "checkout", "-q", "HEAD", "--", TOKENIZER)
    return git(workspace, "fsck", "--dangling", "--no-progress")


def write_a_hook(workspace: Path) -> str:
    (workspace / ".git" / "hooks").mkdir()
    (workspace / ".git" / "hooks" / "pre-commit").write_text("#!/bin/sh\n")
    return (workspace / ".git" / "hooks" / "pre-commit").read_text()


def amend(workspace: Path) -> str:
    git(workspace, "commit", "-q", "--amend", "-m", "renamed")
    return git(workspace, "rev-parse", "HEAD")


def stage_a_copy(workspace: Path) -> str:
    """What is staged is stored already, under another name."""
    (workspace / "copy.py").write_bytes((workspace / TOKENIZER).read_bytes())
    git(workspace, "add", "copy.py")
    (workspace / "copy.py").unlink()
    return git(workspace, "ls-files", "--stage")


def unstage(workspace: Path) -> str:
    git(workspace, "rm", "-q", "--cached", TOKENIZER)
    return git(workspace, "ls-files", "--stage")


def stage_a_mode(workspace: Path) -> str:
    git(workspace, "update-index", "--chmod=+x", TOKENIZER)
    return git(workspace, "ls-files", "--stage")


def say_what_to_skip(workspace: Path) -> str:
    git(workspace, "update-index", "--skip-worktree", TOKENIZER)
    git(workspace, "update-index", "--assume-unchanged", LOADER)
    return git(workspace, "ls-files", "-v")


def exclude(workspace: Path) -> str:
    (workspace / ".git" / "info").mkdir(exist_ok=True)
    (workspace / ".git" / "info" / "exclude").write_text("nanochat/secret.py\n")
    return (workspace / ".git" / "info" / "exclude").read_text()


def write_notes(workspace: Path) -> str:
    (workspace / ".git" / "worktrees" / "mine").mkdir(parents=True)
    (workspace / ".git" / "worktrees" / "mine" / "notes").write_text("mine")
    return (workspace / ".git" / "worktrees" / "mine" / "notes").read_text()


LOOKS: dict[str, Callable[[Path], str]] = {
    "commit": lambda workspace: git(workspace, "rev-parse", "HEAD"),
    "branch": lambda workspace: git(workspace, "rev-parse", "idea"),
    "stash": lambda workspace: git(workspace, "stash", "show", "-p"),
    "stage": lambda workspace: git(workspace, "fsck", "--dangling", "--no-progress"),
    "write_a_hook": lambda workspace: (workspace / ".git" / "hooks" / "pre-commit").read_text(),
    "stage_a_copy": lambda workspace: git(workspace, "ls-files", "--stage"),
    "unstage": lambda workspace: git(workspace, "ls-files", "--stage"),
    "stage_a_mode": lambda workspace: git(workspace, "ls-files", "--stage"),
    "say_what_to_skip": lambda workspace: git(workspace, "ls-files", "-v"),
    "exclude": lambda workspace: (workspace / ".git" / "info" / "exclude").read_text(),
    "write_notes": lambda workspace: (workspace / ".git" / "worktrees" / "mine" / "notes").read_text(),
    "amend": lambda workspace: git(workspace, "rev-parse", "HEAD"),
}


@pytest.mark.parametrize(
    "work",
    [
        *(commit, branch, stash, stage, write_a_hook, amend, stage_a_copy, unstage, stage_a_mode),
        *(say_what_to_skip, exclude, write_notes),
    ],
    ids=lambda work: work.__name__,
)
def test_own_work_in_git_is_kept(work: Callable[[Path], str], hunt: Hunt, workspace: Path) -> None:
    first = git(workspace, "rev-parse", "HEAD")
    mine = work(workspace)
    rescue = hunt.reset(hunt.reset_plan(None)).rescue
    assert rescue is not None
    assert git(workspace, "rev-parse", "HEAD") == first
    assert git(workspace, "status", "--porcelain") == ""
    hunt.restore(None)
    assert LOOKS[work.__name__](workspace) == mine
    git(workspace, "fsck", "--strict")


def test_what_git_remembers_of_the_files_is_nobodys_work(hunt: Hunt, workspace: Path) -> None:
    before = (workspace / ".git" / "index").read_bytes()
    os.utime(workspace / TOKENIZER, (1, 1))
    git(workspace, "update-index", "--refresh")
    assert (workspace / ".git" / "index").read_bytes() != before
    assert hunt.reset(hunt.reset_plan(None)).rescue is None


def test_an_index_that_cannot_be_read_is_work_like_any_other(hunt: Hunt, workspace: Path) -> None:
    index = workspace / ".git" / "index"
    for broken in (b"", index.read_bytes()[:100], b"DIRC\0\0\0\2\xff\xff\xff\xff", index.read_bytes()[:-30]):
        index.write_bytes(broken)
        rescue = hunt.reset(hunt.reset_plan(None)).rescue
        if rescue is not None:
            assert rescue.history is not None
            assert (rescue.history / "index").read_bytes() == broken
        else:
            # Only what is behind the list of files was missing.
            assert len(broken) > 1000


def test_own_commits_stay_where_they_are_when_one_bug_is_reset(hunt: Hunt, workspace: Path) -> None:
    mine = commit(workspace)
    hunt.reset(hunt.reset_plan("1.1"))
    assert git(workspace, "rev-parse", "HEAD") == mine


def test_a_git_file_and_no_git_at_all(hunt: Hunt, workspace: Path) -> None:
    (workspace / ".git").rename(workspace.parent / "git")
    (workspace / ".git").write_text(f"gitdir: {workspace.parent / 'git'}\n")
    pointer = (workspace / ".git").read_text()
    hunt.reset(hunt.reset_plan(None))
    assert (workspace / ".git").is_dir()
    hunt.restore(None)
    assert (workspace / ".git").read_text() == pointer
    (workspace / ".git").unlink()
    edit(workspace)
    hunt.reset(hunt.reset_plan(None))
    assert (workspace / ".git").is_dir()
