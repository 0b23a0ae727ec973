"""A faulty `level.toml`, or folder of levels: one sentence for its author, with file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from authoring import edit, set_key

from bughunt.content.catalog import load_catalog
from bughunt.errors import BughuntError

NUMBER = "the level's number, 1 or more, in no quotes"
NAME = "one word, such as “easy”, of small letters, digits and dashes; “level2” is its id"
BLURB = "a text: what the player is told before the symptoms"
MINUTES = "a whole number of minutes, 1 or more, in no quotes"
POINTS = "a whole number of points a bug, 1 or more, in no quotes"
BUGS = "a list of the folders of the bugs, in their order"
SLUG = "a folder's name: small letters, digits and dashes"


def sentence(copy: Path, source: Path) -> str:
    """What reading the levels says, without the path of `source` in front of it."""
    with pytest.raises(BughuntError) as caught:
        load_catalog(copy)
    assert caught.value.step
    path, says = caught.value.message.split(": ", 1)
    assert path == str(source)
    return says


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("number", "0", f"`number` is the number 0; it must be {NUMBER}."),
        ("number", '"1"', f'`number` is the text "1"; it must be {NUMBER}.'),
        ("number", "1.0", f"`number` is the number 1.0; it must be {NUMBER}."),
        ("number", "true", f"`number` is true; it must be {NUMBER}."),
        ("number", "", f"`number` is missing; it must be {NUMBER}."),
        ("name", '"Easy"', f'`name` is the text "Easy"; it must be {NAME}.'),
        ("name", '"level3"', f'`name` is the text "level3"; it must be {NAME}.'),
        ("name", '"2"', f'`name` is the text "2"; it must be {NAME}.'),
        ("name", '""', f"`name` is empty; it must be {NAME}."),
        ("title", '"""a\nb"""', r'`title` is the text "a\nb"; it must be one line of text.'),
        ("blurb", '"""\n"""', f"`blurb` is empty; it must be {BLURB}."),
        ("topics", '"data"', '`topics` is the text "data"; it must be a list of what the level is about.'),
        ("topics", "[]", "`topics` is an empty list; it must be a list of what the level is about."),
        ("minutes", '"45"', f'`minutes` is the text "45"; it must be {MINUTES}.'),
        ("minutes", "-5", f"`minutes` is the number -5; it must be {MINUTES}."),
        ("points", "inf", f"`points` is the number inf; it must be {POINTS}."),
        ("strategies", "[1]", "`strategies`, entry 1 is the number 1; it must be one line of text."),
        ("bugs", "[]", f"`bugs` is an empty list; it must be {BUGS}."),
        ("bugs", "", f"`bugs` is missing; it must be {BUGS}."),
        ("bugs", '"too-good"', f'`bugs` is the text "too-good"; it must be {BUGS}.'),
        ("bugs", '[["too-good"]]', f"`bugs`, entry 1 is a list of 1; it must be {SLUG}."),
        ("bugs", '["../too-good"]', f'`bugs`, entry 1 is the text "../too-good"; it must be {SLUG}.'),
        ("bugs", '["."]', f'`bugs`, entry 1 is the text "."; it must be {SLUG}.'),
        (
            "bugs",
            '["too-good", "too-god"]',
            "`bugs` lists “too-god”, and there is no such folder beside it; did you mean `too-good`?",
        ),
        ("bugs", '["too-good", "too-good"]', "`bugs` lists “too-good” twice; each bug is listed once."),
    ],
)
def test_a_value_that_is_not_right(key: str, value: str, says: str, copy: Path) -> None:
    source = copy / "level1" / "level.toml"
    set_key(source, key, value)
    assert sentence(copy, source) == says


def test_an_unknown_key(copy: Path) -> None:
    source = copy / "level1" / "level.toml"
    edit(source, "minutes", "minuts")
    assert sentence(copy, source) == "`minuts` means nothing here; did you mean `minutes`?"


def test_a_level_that_is_no_toml(copy: Path) -> None:
    source = copy / "level1" / "level.toml"
    source.write_text("number: 1\n")
    assert sentence(copy, source).startswith("cannot be read as TOML: ")


@pytest.mark.parametrize(
    ("number", "name", "says"),
    [
        ("1", '"other"', "`number` is 1, and another level has it, too."),
        ("2", '"easy"', "`name` is easy, and another level has it, too."),
    ],
)
def test_two_levels_that_go_by_one_name(number: str, name: str, says: str, copy: Path) -> None:
    source = copy / "level2" / "level.toml"
    shutil.copytree(copy / "level1", source.parent)
    set_key(source, "number", number)
    set_key(source, "name", name)
    assert sentence(copy, source) == says


def test_a_folder_without_levels(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert sentence(folder, folder).startswith("there is no level here")


def test_a_patch_that_is_missing_ends_in_a_sentence(copy: Path) -> None:
    """A start asks for the level's version before it makes anything."""
    level = load_catalog(copy).level("1")
    level.bugs[1].patch.unlink()
    with pytest.raises(BughuntError) as caught:
        _ = level.version
    assert caught.value.message.startswith(f"{level.bugs[1].patch}: ")
