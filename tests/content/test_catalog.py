"""All there is to play: names of levels and bugs, and the version of a level."""

from __future__ import annotations

from pathlib import Path

import pytest

from bughunt.content.catalog import Catalog, load_catalog
from bughunt.errors import BughuntError


def test_every_card_can_be_read_and_ids_count_up() -> None:
    for level in load_catalog().levels:
        assert [bug.id for bug in level.bugs] == [
            f"{level.number}.{index}" for index in range(1, len(level.bugs) + 1)
        ]
        for bug in level.bugs:
            card = bug.card
            assert all([card.title, card.symptom, card.pattern, card.consequence, card.why, *card.hints])
            assert bug.files
            for path in (bug.patch, bug.measure, bug.check, bug.probe):
                assert path.is_file()


@pytest.mark.parametrize("name", ["level1", "1", "easy", "LEVEL1", " Easy "])
def test_names_of_a_level(name: str, level1_only: Catalog) -> None:
    assert level1_only.level(name).id == "level1"


@pytest.mark.parametrize("name", ["", "level0", "level", "11", "../level1", "1.1"])
def test_no_such_level(name: str, level1_only: Catalog) -> None:
    with pytest.raises(BughuntError) as caught:
        level1_only.level(name)
    assert "level1 (easy)" in caught.value.message
    assert caught.value.step


@pytest.mark.parametrize("name", ["", "1", "1.9", "document-starts", "1.1.1"])
def test_no_such_bug(name: str, level1_only: Catalog) -> None:
    with pytest.raises(BughuntError) as caught:
        level1_only.bug(name)
    assert "1.1, 1.2, 1.3" in caught.value.message


def test_the_version_follows_the_patches(copy: Path) -> None:
    before = load_catalog(copy).level("1").version
    assert before == load_catalog(copy).level("1").version
    patch = next(iter(load_catalog(copy).level("1").bugs)).patch
    patch.write_bytes(patch.read_bytes() + b"\n")
    assert load_catalog(copy).level("1").version != before
