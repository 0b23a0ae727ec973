"""What is wrong with challenges though every card can be read: found without running anything."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from authoring import edit, set_key

from bughunt.content.catalog import load_catalog
from bughunt.content.faults import faults
from bughunt.content.installed import tree_folder

SLUG = "document-starts"
FILE = "nanochat/tokenizer.py"


def test_the_installed_challenges_have_none() -> None:
    assert [fault.message for fault in faults(load_catalog())] == []


def sentences(copy: Path) -> list[str]:
    """What is said, with paths below level 1."""
    return [fault.message.removeprefix(f"{copy / 'level1'}/") for fault in faults(load_catalog(copy))]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("title", "3", "`title` is the number 3; it must be one line of text."),
        (
            "file",
            '"nanochat/tokeniser.py"',
            "`file` in `where` is “nanochat/tokeniser.py”, and the tree has no such Python file; "
            "did you mean `nanochat/tokenizer.py`?",
        ),
        (
            "function",
            '"RustBPETokenizer.encod"',
            f"`function` in `where` is “RustBPETokenizer.encod”, and {FILE} has no such "
            "function; did you mean `RustBPETokenizer.encode`?",
        ),
        (
            "function",
            '"encode"',
            f"`function` in `where` is “encode”, and {FILE} has no such function; "
            "did you mean `RustBPETokenizer.encode`?",
        ),
        ("preload", '["torhc"]', "`preload` names “torhc”, and no module “torhc” is installed."),
        ("preload", '["torhc.nn"]', "`preload` names “torhc.nn”, and no module “torhc” is installed."),
        (
            "preload",
            '["nanochat.gpt"]',
            "`preload` names “nanochat.gpt”, which is the player's code; only measure.py imports that.",
        ),
    ],
)
def test_a_card_that_names_what_is_not_there(key: str, value: str, says: str, copy: Path) -> None:
    set_key(copy / "level1" / SLUG / "bug.toml", key, value)
    assert sentences(copy) == [f"{SLUG}/bug.toml: {says}"]


def test_a_module_that_was_made_and_not_installed(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `__main__` is in a script: nothing says where it comes from."""
    monkeypatch.setitem(sys.modules, "made", ModuleType("made"))
    set_key(copy / "level1" / SLUG / "bug.toml", "preload", '["made"]')
    assert sentences(copy) == [f"{SLUG}/bug.toml: `preload` names “made”, and no module “made” is installed."]


def test_a_place_that_is_named_twice(copy: Path) -> None:
    source = copy / "level1" / SLUG / "bug.toml"
    text = source.read_text(encoding="utf-8")
    source.write_text(text + text[text.index("[[where]]") :], encoding="utf-8")
    assert sentences(copy) == [
        f"{SLUG}/bug.toml: `where` names `RustBPETokenizer.encode` of nanochat/tokenizer.py 2 times."
    ]


def test_a_patch_of_other_files_than_the_card_names(copy: Path) -> None:
    set_key(copy / "level1" / SLUG / "bug.toml", "file", '"nanochat/engine.py"')
    set_key(copy / "level1" / SLUG / "bug.toml", "function", '"Engine.generate"')
    assert sentences(copy) == [
        f"{SLUG}/bug.toml: no `where` names nanochat/tokenizer.py, which bug.patch changes.",
        f"{SLUG}/bug.toml: `where` names nanochat/engine.py, which bug.patch does not change.",
    ]


@pytest.mark.parametrize("file", ["bug.patch", "measure.py", "check.py", "probe.py"])
def test_a_file_that_is_missing(file: str, copy: Path) -> None:
    (copy / "level1" / SLUG / file).unlink()
    assert sentences(copy) == [f"{SLUG}/{file}: the file is missing; each bug has one."]


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        (
            "check.py",
            lambda text: text.replace("def test_", "def tset_"),
            "has no test; it must have a function ",
        ),
        ("check.py", lambda text: text + "def f(:\n", "is no Python: invalid syntax in line "),
        (
            "measure.py",
            lambda text: text.replace("def draw(", "def drawn("),
            "the function `draw` is missing, ",
        ),
        (
            "measure.py",
            lambda text: text.replace("def measure(", "def m("),
            "the function `measure` is missing, ",
        ),
        (
            "probe.py",
            lambda text: text.replace("def view(", "def views("),
            "the function `view` is missing, ",
        ),
        ("probe.py", lambda text: text + "\0", ""),
        ("bug.patch", lambda text: "", "changes no file; it must be a unified diff "),
        ("bug.patch", lambda text: text.replace("a/", "").replace("b/", ""), "changes no file; "),
        ("cost.json", lambda text: text[:40], "cannot be read: "),
    ],
)
def test_a_file_that_cannot_do_its_work(
    file: str, change: Callable[[str], str], says: str, copy: Path
) -> None:
    path = copy / "level1" / SLUG / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert any(
        said.startswith((f"{SLUG}/{file}: {says}", f"{SLUG}/{file} {says}")) for said in sentences(copy)
    )


def test_a_function_may_be_imported(copy: Path) -> None:
    edit(copy / "level1" / SLUG / "measure.py", "def draw(", "from shared import draw\n\ndef unused(")
    assert sentences(copy) == []


def test_a_bug_that_no_level_lists(copy: Path) -> None:
    shutil.copytree(copy / "level1" / SLUG, copy / "level1" / "second-thoughts")
    assert sentences(copy) == [
        "level.toml: `bugs` does not list “second-thoughts”, a folder with a bug.toml."
    ]


def test_a_level_in_the_folder_of_another(copy: Path) -> None:
    (copy / "level1").rename(copy / "level7")
    assert [fault.message for fault in faults(load_catalog(copy))] == [
        f"{copy / 'level7' / 'level.toml'}: `number` makes this level1, and the folder is called level7."
    ]


def test_every_fault_of_every_bug_is_told(copy: Path) -> None:
    for number, slug in enumerate((SLUG, "batch-memory", "too-good")):
        set_key(copy / "level1" / slug / "bug.toml", "title", str(number))
    (copy / "level1" / "too-good" / "check.py").unlink()
    assert len(sentences(copy)) == 4


def test_a_tree_of_another_code_base(copy: Path, tmp_path: Path) -> None:
    """The cards are compared with the tree that is given, its by-products aside."""
    tree = tmp_path / "tree"
    shutil.copytree(tree_folder(), tree)
    assert faults(load_catalog(copy), tree) == []
    (tree / "nanochat" / "tokenizer.py").rename(tree / "nanochat" / "words.py")
    assert len(faults(load_catalog(copy), tree)) == 1
