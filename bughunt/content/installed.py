"""Where the game's own data lies: the clean tree and the challenges.

A wheel carries both inside the package; a checkout has them beside it.
"""

from __future__ import annotations

from pathlib import Path

from bughunt.errors import BughuntError

_PACKAGE = Path(__file__).resolve().parent.parent


def _data_folder(name: str) -> Path:
    for candidate in (_PACKAGE / "data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise BughuntError(
        f"The game's own {name} folder is missing from this installation.",
        "Install bughunt again.",
    )


def own_folders() -> list[Path]:
    """The folders with all that the game knows: code that is measured has no business there."""
    return [_PACKAGE if (_PACKAGE / "data").is_dir() else _PACKAGE.parent]


def tree_folder() -> Path:
    """The clean nanochat tree."""
    return _data_folder("nanochat")


def challenges_folder() -> Path:
    """The levels and their bugs."""
    return _data_folder("challenges")
