"""A faulty `bug.toml`: one sentence for its author, with file and key, what it holds and what is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from authoring import edit, set_key

from bughunt.content.catalog import load_catalog
from bughunt.errors import BughuntError

TEXT = "a text that is not empty"
PATTERN = "one line of text: the kind of mistake, such as “off by one”"
CONSEQUENCE = "one line of text: what it leads to in production"
MANY = "a list of 4 texts, from a nudge to the repair"
MODULES = 'a list of the modules to import before it is measured, such as ["torch"], or []'
MODULE = 'the name of a module, such as "torch"'
PLACE = "`where`, entry 1"
FILE = 'a file of the tree, such as "nanochat/engine.py"'
FUNCTION = 'a function in that file, such as "Engine.generate"'
PLACES = "a table [[where]], with `file` and `function`, for each place it lives in"


def sentence(copy: Path) -> str:
    """What reading the card of bug 1.1 says, without the path in front of it."""
    source = copy / "level1" / "document-starts" / "bug.toml"
    with pytest.raises(BughuntError) as caught:
        _ = load_catalog(copy).bug("1.1").card
    assert caught.value.step
    path, says = caught.value.message.split(": ", 1)
    assert path == str(source)
    return says


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("title", "3", "`title` is the number 3; it must be one line of text."),
        ("title", "true", "`title` is true; it must be one line of text."),
        ("title", "", "`title` is missing; it must be one line of text."),
        ("title", '""', "`title` is empty; it must be one line of text."),
        ("title", r'"a\nb"', r'`title` is the text "a\nb"; it must be one line of text.'),
        ("title", r'"\u001b[2J"', r'`title` is the text "\u001b[2J"; it must be one line of text.'),
        ("title", "1979-05-27", "`title` is a date or a time; it must be one line of text."),
        (
            "symptom",
            '" \\n "',
            "`symptom` is empty; it must be a text: what users notice, and nothing of the cause.",
        ),
        ("hints", '["a", "b", "c"]', f"`hints` is a list of 3; it must be {MANY}."),
        ("hints", '["a", "b", "c", "d", "e"]', f"`hints` is a list of 5; it must be {MANY}."),
        ("hints", '"Look."', f'`hints` is the text "Look."; it must be {MANY}.'),
        ("hints", '["a", 2, "c", "d"]', f"`hints`, entry 2 is the number 2; it must be {TEXT}."),
        ("hints", '["a", "b", "", "d"]', f"`hints`, entry 3 is empty; it must be {TEXT}."),
        ("pattern", "{}", f"`pattern` is a table; it must be {PATTERN}."),
        ("consequence", "[]", f"`consequence` is an empty list; it must be {CONSEQUENCE}."),
        ("why", "1.5", "`why` is the number 1.5; it must be a text: why the bug matters."),
        ("cost", "", "`cost` is missing; it must be a text: how to read the figures of cost.json."),
        ("preload", '"torch"', f'`preload` is the text "torch"; it must be {MODULES}.'),
        ("preload", '["torch", "-c"]', f'`preload`, entry 2 is the text "-c"; it must be {MODULE}.'),
        ("preload", '["a b"]', f'`preload`, entry 1 is the text "a b"; it must be {MODULE}.'),
        ("file", "7", f"`where`, entry 1, `file` is the number 7; it must be {FILE}."),
        ("file", '"../gpt.py"', f'`where`, entry 1, `file` is the text "../gpt.py"; it must be {FILE}.'),
        (
            "file",
            '"nanochat/../gpt.py"',
            f'{PLACE}, `file` is the text "nanochat/../gpt.py"; it must be {FILE}.',
        ),
        ("file", '"/etc/passwd"', f'`where`, entry 1, `file` is the text "/etc/passwd"; it must be {FILE}.'),
        ("file", "", f"`where`, entry 1, `file` is missing; it must be {FILE}."),
        ("function", '"encode()"', f'{PLACE}, `function` is the text "encode()"; it must be {FUNCTION}.'),
        ("function", '["encode"]', f"`where`, entry 1, `function` is a list of 1; it must be {FUNCTION}."),
    ],
)
def test_a_value_that_is_not_right(key: str, value: str, says: str, copy: Path) -> None:
    set_key(copy / "level1" / "document-starts" / "bug.toml", key, value)
    assert sentence(copy) == says


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("hints = [", "hunts = [", "`hunts` means nothing here; did you mean `hints`?"),
        (
            "title =",
            "colour = 3\ntitle =",
            "`colour` means nothing here; there are `title`, `symptom`, `hints`, `pattern`, `consequence`, "
            "`why`, `cost`, `where`, `preload`.",
        ),
        (
            "function =",
            "funktion =",
            "`where`, entry 1, `funktion` means nothing here; did you mean `function`?",
        ),
        (
            "[[where]]",
            '[[where]]\npreload = ["torch"]',
            "`where`, entry 1, `preload` means nothing here; it must stand above the first [[where]], "
            "or TOML takes it for a part of that.",
        ),
        ("[[where]]", "[where]", f"`where` is a table; it must be {PLACES}."),
        ("[[where]]", "where = []\n[[other]]", None),
        ("title =", "title = =", "cannot be read as TOML: Invalid value (at line 1, column 9)."),
        ("title =", 'title = "two"\ntitle =', None),
        ("title =", "deep = " + "[" * 5000 + "]" * 5000 + "\ntitle =", None),
    ],
)
def test_a_card_of_another_shape(old: str, new: str, says: str | None, copy: Path) -> None:
    edit(copy / "level1" / "document-starts" / "bug.toml", old, new)
    if says is None:
        assert sentence(copy).endswith(".")
    else:
        assert sentence(copy) == says


def test_a_card_that_is_missing(copy: Path) -> None:
    (copy / "level1" / "document-starts" / "bug.toml").unlink()
    assert sentence(copy) == "the file is missing."


def test_a_folder_in_the_place_of_a_card(copy: Path) -> None:
    source = copy / "level1" / "document-starts" / "bug.toml"
    source.unlink()
    source.mkdir()
    assert sentence(copy).startswith("cannot be read: ")


def test_a_card_in_another_encoding(copy: Path) -> None:
    source = copy / "level1" / "document-starts" / "bug.toml"
    source.write_bytes('title = "Café"\n'.encode("latin-1"))
    assert sentence(copy) == "is not UTF-8 at byte 12; save it as UTF-8."


def test_a_byte_order_mark_does_no_harm(copy: Path) -> None:
    source = copy / "level1" / "document-starts" / "bug.toml"
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
    assert load_catalog(copy).bug("1.1").card == load_catalog().bug("1.1").card


def test_texts_lose_the_white_space_at_their_ends(copy: Path) -> None:
    source = copy / "level1" / "document-starts" / "bug.toml"
    set_key(source, "why", '"""\n\n  Because.\n\n"""')
    set_key(source, "hints", '["a ", " b", "c\\n", "d"]')
    card = load_catalog(copy).bug("1.1").card
    assert (card.why, card.hints) == ("Because.", ("a", "b", "c", "d"))


def test_the_path_is_shown_as_from_here(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent)
    (copy / "level1" / "document-starts" / "bug.toml").unlink()
    with pytest.raises(BughuntError) as caught:
        _ = load_catalog(copy).bug("1.1").card
    assert caught.value.message.startswith(
        str(Path("challenges", "level1", "document-starts", "bug.toml")) + ": "
    )
