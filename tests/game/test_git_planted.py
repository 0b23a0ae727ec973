"""What is planted in a git folder is neither run by any command of the game, nor leads one elsewhere.

Each trap is set in the workspace's own repository, and in repositories planted around it: in the hunt, in
its `.bughunt` and in the folder where a level's start is put together. To show that a trap works at all,
git is at last called in the workspace as a player would call it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import Player
from editing import LOADER, TOKENIZER, edit, tree_of

from bughunt.hunt.doctor.place import examine_place

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="what is planted is a shell script")

_HOOKS = (
    *("applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit"),
    *("prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge"),
    *("pre-push", "pre-receive", "update", "proc-receive", "post-receive", "post-update"),
    *("reference-transaction", "push-to-checkout", "pre-auto-gc", "post-rewrite", "sendemail-validate"),
    *("fsmonitor-watchman", "post-index-change"),
)
_COMMIT, _ADD = ("commit", "-qam", "mine"), ("add", "-A")


@dataclass(frozen=True)
class Trap:
    """`set_in` sets it in a git folder, with the script to be run; `sprung_by` is a command that runs it."""

    name: str
    set_in: Callable[[Path, Path], object]
    sprung_by: tuple[str, ...] = ()


def settings(*pairs: tuple[str, str]) -> Callable[[Path, Path], None]:
    """Settings in the config, with `RUN` for the script."""

    def write(git: Path, script: Path) -> None:
        for name, value in pairs:
            section, _, key = name.rpartition(".")
            head, _, of = section.partition(".")
            title = f'[{head} "{of}"]' if of else f"[{head}]"
            with (git / "config").open("a") as file:
                file.write(f'{title}\n\t{key} = "{value.replace("RUN", str(script))}"\n')

    return write


def hooks(git: Path, script: Path, folder: str = "hooks") -> None:
    (git / folder).mkdir(exist_ok=True)
    for name in _HOOKS:
        (git / folder / name).symlink_to(script)


def hooks_elsewhere(git: Path, script: Path) -> None:
    hooks(git, script, "elsewhere")
    settings(("core.hooksPath", str(git / "elsewhere")))(git, script)


def attributes(
    value: str, *pairs: tuple[str, str], where: str = "info/attributes"
) -> Callable[[Path, Path], None]:
    def write(git: Path, script: Path) -> None:
        (git / where).parent.mkdir(exist_ok=True)
        (git / where).write_text(f"* {value}\n")
        settings(*pairs)(git, script)

    return write


def included(git: Path, script: Path) -> None:
    (git / "more").mkdir()
    settings(("core.fsmonitor", "RUN"))(git / "more", script)
    settings(("include.path", "more/config"), ("includeIf.gitdir:/.path", "more/config"))(git, script)


def submodule(git: Path, script: Path) -> None:
    """A repository in a folder of the level's, with settings of its own."""
    inner = git.parent / "nanochat"
    inner.mkdir(exist_ok=True)
    subprocess.run(["git", "init", "-q", "."], cwd=inner, check=True)
    hooks(inner / ".git", script)
    settings(("core.fsmonitor", "RUN"))(inner / ".git", script)
    (git.parent / ".gitmodules").write_text(
        f'[submodule "it"]\n\tpath = nanochat\n\turl = ext::{script}\n\tupdate = !{script}\n'
    )


def bare(git: Path, script: Path) -> None:
    """The folder itself looks like a repository."""
    for part in ("objects", "refs"):
        (git.parent / part).mkdir(exist_ok=True)
    (git.parent / "HEAD").write_text("ref: refs/heads/main\n")
    settings(("core.fsmonitor", "RUN"), ("core.bare", "false"))(git.parent, script)
    hooks(git.parent, script)


_FILTER = (("filter.x.clean", "RUN"), ("filter.x.smudge", "RUN"), ("filter.x.process", "RUN"))
_DIFF = (("diff.x.command", "RUN"), ("diff.x.textconv", "RUN"), ("diff.external", "RUN"))
_ALIASES = tuple((f"alias.{name}", "!RUN") for name in ("init", "add", "commit", "rev-parse", "mine"))
_PAGERS = tuple((f"pager.{name}", "RUN") for name in ("init", "add", "commit", "rev-parse"))
_PROMISED = (
    *(("core.repositoryformatversion", "1"), ("extensions.partialClone", "x")),
    *(("remote.x.url", "ext::RUN"), ("remote.x.promisor", "true"), ("protocol.ext.allow", "always")),
)
_SSH_SIGNED = (
    *(("gpg.format", "ssh"), ("gpg.ssh.program", "RUN")),
    *(("user.signingKey", "key::x"), ("commit.gpgSign", "true")),
)
_MINE = ("core.attributesFile", ".git/mine")

TRAPS = (
    Trap("hooks", hooks, _COMMIT),
    Trap("core.hooksPath", hooks_elsewhere, _COMMIT),
    Trap("core.fsmonitor", settings(("core.fsmonitor", "RUN")), ("status",)),
    Trap("core.sshCommand", settings(("core.sshCommand", "RUN")), ("ls-remote", "ssh://nowhere.invalid/x")),
    Trap("core.gitProxy", settings(("core.gitProxy", "RUN")), ("ls-remote", "git://nowhere.invalid/x")),
    Trap("core.pager and pager.*", settings(("core.pager", "RUN"), *_PAGERS)),
    Trap("core.editor", settings(("core.editor", "RUN"), ("sequence.editor", "RUN")), ("commit", "-a")),
    Trap("core.askPass", settings(("core.askPass", "RUN"), ("credential.helper", "!RUN"))),
    Trap("core.alternateRefsCommand", settings(("core.alternateRefsCommand", "RUN"))),
    Trap("filter, info/attributes", attributes("filter=x", *_FILTER), _ADD),
    Trap("filter, .gitattributes", attributes("filter=x", *_FILTER, where="../.gitattributes"), _ADD),
    Trap("filter, core.attributesFile", attributes("filter=x", *_FILTER, _MINE, where="mine"), _ADD),
    Trap("diff", attributes("diff=x", *_DIFF), ("diff",)),
    Trap("merge", attributes("merge=x", ("merge.x.driver", "RUN"), ("merge.default", "x"))),
    Trap("gpg.program", settings(("gpg.program", "RUN"), ("commit.gpgSign", "true")), _COMMIT),
    Trap("gpg.ssh", settings(*_SSH_SIGNED), _COMMIT),
    Trap("alias", settings(*_ALIASES), ("mine",)),
    Trap("include", included, ("status",)),
    Trap("init.templateDir", settings(("init.templateDir", "/nowhere/RUN"))),
    Trap("trailer", settings(("trailer.x.command", "RUN"), ("trailer.x.ifmissing", "add"))),
    Trap("uploadpack.packObjectsHook", settings(("uploadpack.packObjectsHook", "RUN"))),
    Trap("remote.*.vcs", settings(("remote.x.vcs", "RUN"), ("remote.x.uploadpack", "RUN"))),
    Trap("partial clone", settings(*_PROMISED), ("cat-file", "-p", "12" * 20)),
    Trap("submodule", submodule),
    Trap("bare", bare),
)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Notes that it was run."""
    (tmp_path / "planted").write_text(f'#!/bin/sh\necho "$0 $*" >>"{tmp_path}/ran"\nexit 0\n')
    (tmp_path / "planted").chmod(0o755)
    return tmp_path / "planted"


def repositories(hunt: Path) -> list[Path]:
    """The git folders of a hunt that somebody could have planted, empty but for the workspace's."""
    scratch = hunt / ".bughunt" / "scratch"
    scratch.mkdir(exist_ok=True)
    planted = [hunt, hunt / ".bughunt", scratch]
    for folder in planted:
        subprocess.run(["git", "init", "-q", "--template=", "."], cwd=folder, check=True)
    return [folder / ".git" for folder in (hunt / "level1", *planted)]


def play(player: Player) -> None:
    """All the commands by which git could be called."""
    (player.workspace / LOADER).write_text("mine\n")
    commands = ("reset 1.2", "status", "reset", "restore", "start level1 --fresh", "start level2", "restore")
    for command in commands:
        ran = player.run(*command.split())
        assert ran.code == 0, (command, ran.err)
    assert [finding for finding in examine_place(player.folder) if not finding.well] == []


@pytest.mark.few(8)
@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_nothing_planted_is_run(trap: Trap, started: Player, script: Path) -> None:
    ran = script.parent / "ran"
    for git in repositories(started.folder):
        trap.set_in(git, script)
    play(started)
    assert not ran.exists(), ran.read_text()
    if trap.sprung_by:
        edit(started.workspace)
        identity = ("-c", "user.name=player", "-c", "user.email=player@example.org")
        subprocess.run(
            ["git", *identity, *trap.sprung_by],
            cwd=started.workspace,
            capture_output=True,
            check=False,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
        assert ran.exists(), "this trap never works"


def to_elsewhere_by_file(git: Path, elsewhere: Path) -> None:
    git.rename(git.with_name(f"{git.name}.moved"))
    git.write_text(f"gitdir: {elsewhere / '.git'}\n")


LEADING: Mapping[str, Callable[[Path, Path], object]] = {
    "core.worktree": lambda git, elsewhere: settings(("core.worktree", str(elsewhere)))(git, elsewhere),
    "a file that points elsewhere": to_elsewhere_by_file,
    "commondir": lambda git, elsewhere: (git / "commondir").write_text(f"{elsewhere / '.git'}\n"),
    "alternates": lambda git, elsewhere: (
        (git / "objects" / "info").mkdir(exist_ok=True),
        (git / "objects" / "info" / "alternates").write_text(f"{elsewhere / '.git' / 'objects'}\n"),
    ),
    "config.worktree": lambda git, elsewhere: (
        settings(("extensions.worktreeConfig", "true"))(git, elsewhere),
        (git / "config.worktree").write_text(f'[core]\n\tworktree = "{elsewhere}"\n'),
    ),
}


@pytest.mark.parametrize("way", LEADING)
def test_nothing_planted_leads_elsewhere(way: str, started: Player, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "theirs").write_text("theirs")
    subprocess.run(["git", "init", "-q", "--template=", "."], cwd=elsewhere, check=True)
    subprocess.run(["git", "add", "."], cwd=elsewhere, check=True)
    before = tree_of(elsewhere, without=())
    for git in repositories(started.folder):
        LEADING[way](git, elsewhere)
    play(started)
    assert tree_of(elsewhere, without=()) == before
    assert (started.folder / "level2" / TOKENIZER).is_file()
