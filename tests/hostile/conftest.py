"""Players, one for each column of the tables and each user, who judge one hostile program after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from player import Player

Players = Callable[[str, int | None], Player]


@pytest.fixture(scope="session")
def players() -> Iterator[Players]:
    made: dict[tuple[str, int | None], Player] = {}

    def player(column: str, user: int | None) -> Player:
        return made.setdefault((column, user), Player(column, user))

    yield player
    for one in made.values():
        one.__exit__()
