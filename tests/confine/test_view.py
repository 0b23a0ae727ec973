"""What is to be seen in a sandbox: Python and its packages, and nothing of the player's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bughunt.confine.bubblewrap import bubblewrap
from bughunt.confine.view import View
from bughunt.measure.visible import view_of


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a hunt, an environment and other things in it."""
    home = tmp_path / "home"
    for name in (
        "hunt/level1",
        "hunt/.bughunt",
        "letters",
        "packages/torch",
        "packages/bughunt",
        "kit",
        "scratch",
    ):
        (home / name).mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: home)
    return home


def view(home: Path, search_path: list[Path], hidden: list[Path]) -> View:
    names = [str(home / name) for name in ("hunt/level1", "scratch", "kit")]
    return view_of(*names, list(map(str, search_path)), list(map(str, hidden)))


def is_shown(view: View, path: Path) -> bool:
    return any(path == Path(shown) or Path(shown) in path.parents for shown in view.shown)


def test_packages_are_shown_without_the_game(places: Path) -> None:
    seen = view(places, [places / "packages"], [places / "packages/bughunt"])
    assert is_shown(seen, places / "packages/torch")
    assert seen.masked == (str(places / "packages/bughunt"),)


@pytest.mark.parametrize("folder", ["", "hunt"], ids=["home", "hunt"])
def test_a_folder_of_the_players_is_no_place_for_packages(places: Path, folder: str) -> None:
    """`python -m bughunt` puts the current folder on the module search path."""
    seen = view(places, [places / folder, places / "packages"], [])
    assert not is_shown(seen, places / "letters")
    assert not is_shown(seen, places / "hunt/.bughunt")
    assert is_shown(seen, places / "packages/torch")


def test_the_game_itself_is_not_shown_where_it_is_run_from_a_checkout(places: Path) -> None:
    checkout = places.parent / "checkout"
    (checkout / "bughunt").mkdir(parents=True)
    assert not is_shown(view(places, [checkout], [checkout]), checkout / "bughunt")


def test_python_is_shown_by_each_of_its_names(places: Path) -> None:
    seen = view(places, [], [])
    for path in (sys.prefix, sys.base_prefix, sys.executable):
        assert is_shown(seen, Path(path))
        assert is_shown(seen, Path(path).resolve())


def test_the_workspace_is_given_even_in_what_is_hidden(places: Path) -> None:
    seen = view(places, [], [places / "hunt"])
    assert str(places / "hunt/level1") in seen.given


def test_a_view_can_be_handed_on_as_text(places: Path) -> None:
    seen = view(places, [places / "packages"], [places / "packages/bughunt"])
    assert View.from_json(seen.to_json()) == seen


def test_bubblewrap_shows_masks_and_gives_in_this_order() -> None:
    view = View(("/usr",), ("/usr/game",), ("/hunt",), (("/bin", "usr/bin"),), "/scratch", 1000, 10)
    words = bubblewrap("bwrap", view, ["python", "-c", ""])
    order = [words.index(word) for word in ("/usr", "/usr/game", "/scratch", "/hunt")]
    assert order == sorted(order)
    assert words[-3:] == ["python", "-c", ""]
    assert words[words.index("/usr") - 1] == words[words.index("/hunt") - 1] == "--ro-bind"
