"""Telling a repair of the defect from one that works around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bughunt.content.catalog import load_catalog
from bughunt.content.installed import tree_folder
from bughunt.judge import Judge
from bughunt.judge.cause import REMARK, Defect, read_hunks
from bughunt.workspace.injection import inject
from bughunt.workspace.patches import apply_patch

CATALOG = load_catalog()
EVERY_BUG = [bug for level in CATALOG.levels for bug in level.bugs]
NARROW_INPUTS = CATALOG.bug("1.2")
AT_THE_YIELD = NARROW_INPUTS.folder / "fixes" / "accept-at-the-yield.patch"


def never_asked(copy: Path) -> bool:
    raise AssertionError("no copy should be judged")


@pytest.mark.parametrize("bug", EVERY_BUG, ids=lambda bug: bug.id)
def test_the_clean_tree_is_repaired_at_the_place(bug, tmp_path: Path) -> None:
    """Putting the defect back gives the tree with the bug in, and that does not pass."""
    inject(tmp_path / "broken", [bug])
    copies = []

    def fails(copy: Path) -> bool:
        copies.append({file: (copy / file).read_bytes() for file in bug.files})
        return False

    assert not Defect(bug.patch).is_worked_around(tree_folder(), tmp_path, fails)
    assert copies == [{file: (tmp_path / "broken" / file).read_bytes() for file in bug.files}]
    assert not (tmp_path / "put-back").exists()


@pytest.mark.parametrize("bug", EVERY_BUG, ids=lambda bug: bug.id)
def test_a_defect_that_stands_is_seen(bug, tmp_path: Path) -> None:
    inject(tmp_path / "broken", [bug])
    assert Defect(bug.patch).is_worked_around(tmp_path / "broken", tmp_path, never_asked)


def test_a_place_that_was_rewritten_gets_no_remark(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    inject(tree, [NARROW_INPUTS])
    for hunk in read_hunks(NARROW_INPUTS.patch):
        file = tree / hunk.file
        text = file.read_text()
        assert hunk.stands(text)
        file.write_text(text.replace(".to(dtype=torch.int64)", ".int()"))
    assert not Defect(NARROW_INPUTS.patch).is_worked_around(tree, tmp_path, never_asked)


def test_the_verdict_stays_fixed_and_says_so(tmp_path: Path) -> None:
    around, both = tmp_path / "around", tmp_path / "both"
    inject(around, [NARROW_INPUTS])
    inject(both, [])
    for tree in (around, both):
        apply_patch(tree, AT_THE_YIELD)
    with Judge(tree_folder()) as judge:
        verdicts = {
            "around": judge.judge(NARROW_INPUTS, around, 1),
            "clean": judge.judge(NARROW_INPUTS, tree_folder(), 1, first=True),
            "both, not looked into": judge.judge(NARROW_INPUTS, both, 1),
            "both": judge.judge(NARROW_INPUTS, both, 1, first=True),
        }
    assert {verdict.kind for verdict in verdicts.values()} == {"fixed"}
    assert [name for name, verdict in verdicts.items() if verdict.elsewhere] == ["around", "both"]
    assert verdicts["around"].message == REMARK
    assert verdicts["clean"].message == ""


def test_of_a_workspace_full_of_other_things_the_code_alone_is_copied(tmp_path: Path) -> None:
    """An environment and data of the player's may be larger than the disk that the copy is made on."""
    tree = tmp_path / "tree"
    inject(tree, [])
    for name in ("env/pyvenv.cfg", "env/lib/x.py", "data/1.bin", "data/2.bin"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("large")
    (tree / "nanochat" / "mine.py").write_text("x = 1\n")
    copies: list[set[str]] = []

    def fails(copy: Path) -> bool:
        copies.append({path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()})
        return False

    assert not Defect(NARROW_INPUTS.patch).is_worked_around(tree, tmp_path, fails)
    [copied] = copies
    assert {"nanochat/mine.py", "nanochat/gpt.py"} < copied
    assert not {name for name in copied if name.startswith(("env/", "data/"))}
