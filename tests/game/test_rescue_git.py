"""What the player did with git in a workspace is kept, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from editing import TOKENIZER, edit, git

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


LOOKS: dict[str, Callable[[Path], str]] = {
    "commit": lambda workspace: git(workspace, "rev-parse", "HEAD"),
    "branch": lambda workspace: git(workspace, "rev-parse", "idea"),
    "stash": lambda workspace: git(workspace, "stash", "show", "-p"),
    "stage": lambda workspace: git(workspace, "fsck", "--dangling", "--no-progress"),
    "write_a_hook": lambda workspace: (workspace / ".git" / "hooks" / "pre-commit").read_text(),
    "amend": lambda workspace: git(workspace, "rev-parse", "HEAD"),
}


@pytest.mark.parametrize(
    "work", [commit, branch, stash, stage, write_a_hook, amend], ids=lambda work: work.__name__
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
