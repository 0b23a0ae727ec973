"""`--guided` marks each bug's surroundings, and changes nothing but comments."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.level import Level
from bughunt.errors import BughuntError
from bughunt.workspace.guide import marked
from bughunt.workspace.injection import inject

LEVELS = load_catalog().levels
MARK = "# bughunt "


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.id)
def test_only_comments_are_added_and_every_bug_has_one(level: Level, tmp_path: Path) -> None:
    inject(tmp_path / "plain", level.bugs)
    inject(tmp_path / "guided", level.bugs, guided=True)
    for file in {file for bug in level.bugs for file in bug.files}:
        plain = (tmp_path / "plain" / file).read_text(encoding="utf-8")
        guided = (tmp_path / "guided" / file).read_text(encoding="utf-8")
        assert [line for line in guided.splitlines() if MARK not in line] == plain.splitlines()
        assert ast.dump(ast.parse(guided)) == ast.dump(ast.parse(plain))
    for bug in level.bugs:
        for place in bug.card.where:
            lines = (tmp_path / "guided" / place.file).read_text(encoding="utf-8").splitlines()
            marks = [i for i, line in enumerate(lines) if MARK in line and bug.id in line]
            assert marks, (bug.id, place)
            name = place.function.split(".")[-1]
            following = [
                next(line for line in lines[i + 1 :] if not line.lstrip().startswith(("@", "#")))
                for i in marks
            ]
            assert any(f" {name}(" in f" {line.strip()}" or f" {name}:" in line for line in following)


def test_the_marks_say_nothing_about_the_defect(level1: Level, tmp_path: Path) -> None:
    inject(tmp_path / "guided", level1.bugs, guided=True)
    for bug in level1.bugs:
        text = (tmp_path / "guided" / bug.files[0]).read_text(encoding="utf-8")
        marks = {line.strip() for line in text.splitlines() if MARK in line}
        for mark in marks:
            assert mark.endswith(": look closely at what follows.")


def test_two_bugs_of_one_function_share_a_mark(level1: Level, tmp_path: Path) -> None:
    inject(tmp_path / "guided", level1.bugs, guided=True)
    text = (tmp_path / "guided" / level1.bugs[1].files[0]).read_text(encoding="utf-8")
    assert text.count(f"{MARK}1.2 and 1.3: ") == 1


def test_a_function_that_is_not_there(level1: Level) -> None:
    with pytest.raises(BughuntError):
        marked(dict.fromkeys(level1.bugs[0].files, b"nothing = 0\n"), level1.bugs[:1])
