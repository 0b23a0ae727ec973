"""A workspace: one commit, nothing clean in it, and none of the player's own git settings had a say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.errors import BughuntError
from bughunt.hunt.hunt import Hunt
from bughunt.workspace.casefile import case_file
from bughunt.workspace.injection import inject

LEVELS = load_catalog().levels


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def objects(repository: Path) -> list[tuple[str, str]]:
    """(type, id) of every object there is, reachable or not."""
    listed = git(repository, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
    return [(kind, name) for kind, name in (line.split() for line in listed.splitlines())]


def contents(repository: Path, name: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "blob", name], capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
@pytest.mark.parametrize("how", ["new", "after a reset", "fresh", "guided"])
def test_one_commit_and_no_clean_object(level: Level, how: str, tmp_path: Path) -> None:
    hunt = Hunt(tmp_path, Catalog((level,)))
    path = hunt.start(level.id, guided=how == "guided").workspace
    if how == "after a reset":
        changed = path / level.bugs[0].files[0]
        shutil.copyfile(tree_folder() / level.bugs[0].files[0], changed)
        git(path, "-c", "user.name=p", "-c", "user.email=p@p", "commit", "-qam", "my repair")
        hunt.reset(hunt.reset_plan(None))
    elif how == "fresh":
        (path / "CASE.md").write_text("mine")
        hunt.start(level.id, fresh=True)
    assert git(path, "log", "--all", "--reflog", "--format=%s").splitlines() == [f"The case of {level.id}"]
    assert git(path, "status", "--porcelain") == ""
    assert git(path, "stash", "list") == ""
    assert git(path, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    found = objects(path)
    assert sum(kind == "commit" for kind, _ in found) == 1
    assert not {kind for kind, _ in found} - {"commit", "tree", "blob"}
    blobs = {contents(path, name) for kind, name in found if kind == "blob"}
    tracked = {(path / file).read_bytes() for file in git(path, "ls-files", "-z").split("\0") if file}
    assert blobs == tracked
    for bug in level.bugs:
        for file in bug.files:
            assert (tree_folder() / file).read_bytes() not in blobs
    git(path, "fsck", "--strict")


def test_the_players_git_settings_have_no_say(
    tmp_path: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    hooks, template = home / "hooks", home / "template" / "hooks"
    for folder in (hooks, template):
        folder.mkdir(parents=True)
        for name in ("pre-commit", "commit-msg", "post-commit", "post-checkout"):
            (folder / name).write_text(f"#!/bin/sh\ntouch '{home}/ran'\nexit 1\n")
            (folder / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n\tautocrlf = true\n\texcludesFile = {home}/ignore\n"
        f"\tlogAllRefUpdates = false\n"
        f"[init]\n\ttemplateDir = {home}/template\n\tdefaultBranch = odd\n"
        "[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = /bin/false\n[apply]\n\twhitespace = error\n"
        '[filter "shout"]\n\tclean = tr a-z A-Z\n\tsmudge = cat\n[user]\n\tuseConfigOnly = true\n'
    )
    (home / "ignore").write_text("*.py\n")
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "attributes").write_text("*.py filter=shout text eol=crlf\n")
    (home / ".config" / "git" / "ignore").write_text("*.md\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name, value in {
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_TEMPLATE_DIR": str(home / "template"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.bare",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_AUTHOR_NAME": "somebody",
    }.items():
        monkeypatch.setenv(name, value)
    path = Hunt(tmp_path, level1_only).start("1").workspace
    for name in list(os.environ):
        if name.startswith("GIT_"):
            assert os.environ[name] != "bughunt"
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not (home / "ran").exists()
    assert not (tmp_path / "index").exists()
    assert not (path / ".git" / "hooks").exists()
    assert git(path, "log", "--format=%an %cn %D").strip() == "bughunt bughunt HEAD -> main"
    tracked = {file for file in git(path, "ls-files", "-z").split("\0") if file}
    for file in tracked:
        assert git(path, "show", f"HEAD:{file}").encode() == (path / file).read_bytes()
    assert {"README.md", "CASE.md", "nanochat/tokenizer.py"} <= tracked


@pytest.mark.parametrize("name", ["plain", "a space", "ünïcödé 日本", "co:lon", "quo'te\"s", "-dash"])
def test_inside_another_repository_whatever_its_name(
    name: str, tmp_path: Path, level1_only: Catalog, level1: Level
) -> None:
    outer = tmp_path / name
    outer.mkdir()
    git(outer, "init", "--quiet")
    (outer / "theirs.txt").write_text("theirs")
    git(outer, "add", "theirs.txt")
    hunts = outer / "deep" / "er"
    hunts.mkdir(parents=True)
    path = Hunt(hunts, level1_only).start("1").workspace
    assert_start_of_level(path, level1, tmp_path / "right")
    assert git(path, "rev-parse", "--show-cdup").strip() == ""
    assert git(outer, "ls-files").split() == ["theirs.txt"]


def assert_start_of_level(path: Path, level: Level, scratch: Path) -> None:
    inject(scratch, level.bugs)
    (scratch / "CASE.md").write_text(case_file(level), encoding="utf-8")
    files = {file.relative_to(scratch) for file in scratch.rglob("*") if file.is_file()}
    there = {
        file.relative_to(path)
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }
    assert there == files
    for file in files:
        assert (path / file).read_bytes() == (scratch / file).read_bytes()
    differing = {file.as_posix() for file in files if _differs_from_clean(scratch, file)}
    assert differing == {file for bug in level.bugs for file in bug.files} | {"CASE.md"}


def _differs_from_clean(scratch: Path, file: Path) -> bool:
    clean = tree_folder() / file
    return not clean.is_file() or clean.read_bytes() != (scratch / file).read_bytes()


def test_no_git_on_the_path(tmp_path: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    hunt = Hunt(tmp_path, level1_only)
    with pytest.raises(BughuntError) as caught:
        hunt.start("1")
    assert "git is not on the PATH" in caught.value.message
    assert caught.value.step
    assert not (tmp_path / "level1").exists()


def test_a_git_that_fails(tmp_path: Path, level1_only: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'out of order' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(BughuntError) as caught:
        Hunt(tmp_path, level1_only).start("1")
    assert "out of order" in caught.value.message
    assert not (tmp_path / "level1").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "broken link"])
def test_something_else_in_the_way(kind: str, tmp_path: Path, level1_only: Catalog) -> None:
    path = tmp_path / "level1"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BughuntError) as caught:
        Hunt(tmp_path, level1_only).start("1")
    assert f"{path} is in the way" in caught.value.message
    assert path.is_symlink() or kind != "broken link"
    assert kind != "file" or path.read_text() == "mine"
    assert kind != "folder" or [entry.name for entry in path.iterdir()] == ["mine.txt"]


def test_what_a_development_tree_has_lying_about_is_not_copied(tmp_path: Path, bug: Bug) -> None:
    inject(tmp_path / "tree", [bug])
    for path in (tmp_path / "tree").rglob("*"):
        parts = path.relative_to(tmp_path / "tree").parts
        assert not any(part == "__pycache__" or part.endswith("_cache") for part in parts)
