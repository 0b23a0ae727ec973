"""The start of a level: the clean tree with exactly its bugs in it, marked for beginners when asked."""

from __future__ import annotations

import ast
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.content.tree import tree_files
from bughunt.errors import BughuntError
from bughunt.workspace import injection
from bughunt.workspace.injection import inject

LEVELS = load_catalog().levels


def differing(target: Path) -> set[str]:
    clean = tree_folder()
    there = set(tree_files(target))
    assert there == set(tree_files(clean))
    return {file for file in there if (target / file).read_bytes() != (clean / file).read_bytes()}


def test_no_bug_is_the_clean_tree(tmp_path: Path) -> None:
    inject(tmp_path / "tree", [])
    assert differing(tmp_path / "tree") == set()


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
def test_just_the_files_of_the_bugs_change_and_still_compile(level: Level, tmp_path: Path) -> None:
    inject(tmp_path / "tree", level.bugs)
    assert differing(tmp_path / "tree") == {file for bug in level.bugs for file in bug.files}
    for bug in level.bugs:
        for file in bug.files:
            ast.parse((tmp_path / "tree" / file).read_text(encoding="utf-8"))


def faulty(bug: Bug, folder: Path, patch: str) -> Bug:
    shutil.copytree(bug.folder, folder)
    (folder / "bug.patch").write_text(patch, encoding="utf-8")
    return replace(bug, folder=folder)


def test_a_patch_of_another_file_is_noticed(level1: Level, tmp_path: Path) -> None:
    """1.2's patch under 1.1's name: git is content, the files that should have changed have not."""
    wrong = faulty(level1.bugs[0], tmp_path / "bug", level1.bugs[1].patch.read_text(encoding="utf-8"))
    with pytest.raises(BughuntError) as caught:
        inject(tmp_path / "tree", [wrong])
    assert "1.1 could not be injected" in caught.value.message


def test_a_patch_that_changes_more_than_it_says_is_noticed(level1: Level, tmp_path: Path) -> None:
    both = "".join(bug.patch.read_text(encoding="utf-8") for bug in level1.bugs[:2])
    wrong = faulty(level1.bugs[0], tmp_path / "bug", both)
    with pytest.raises(BughuntError) as caught:
        inject(tmp_path / "tree", [wrong])
    assert level1.bugs[1].files[0] in caught.value.message


def test_a_patch_that_does_not_fit(level1: Level, tmp_path: Path) -> None:
    text = level1.bugs[1].patch.read_text(encoding="utf-8").replace("\n-", "\n-no such line ")
    with pytest.raises(BughuntError) as caught:
        inject(tmp_path / "tree", [faulty(level1.bugs[1], tmp_path / "bug", text)])
    assert "could not apply" in caught.value.message


def test_a_tree_with_tools_leavings_is_copied_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    for name in ("a.py", ".gitignore", "runs/x.txt", "pkg/__pycache__/a.pyc", ".mypy_cache/x", "pkg/b.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    monkeypatch.setattr(injection, "tree_folder", lambda: source)
    inject(tmp_path / "tree", [])
    copied = {path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*.*")}
    assert copied == {"a.py", ".gitignore", "pkg/b.py"}
