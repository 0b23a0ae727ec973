"""All there is to play: the levels that lie in a folder.

challenges/level1/level.toml            one level, and the order of its bugs
challenges/level1/<slug>/bug.toml       one bug's card; patch, check and the rest lie beside it
"""

from __future__ import annotations

from pathlib import Path

from bughunt.content.cards import LevelCard, LevelHead
from bughunt.content.installed import challenges_folder
from bughunt.content.level import Bug, Level
from bughunt.content.reading import fault, read
from bughunt.errors import BughuntError


class Catalog:
    """All there is to play."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    def level(self, name: str) -> Level:
        """The level that `level2`, `2` or `medium` names. Raises BughuntError for any other name."""
        wanted = name.strip().lower()
        for level in self.levels:
            if wanted in level.names:
                return level
        known = ", ".join(f"{level.id} ({level.name})" for level in self.levels)
        raise BughuntError(f"There is no level “{name}”. The levels are: {known}.", "Run `bughunt levels`.")

    def bug(self, name: str) -> Bug:
        """The bug with the id `name`. Raises BughuntError when there is none."""
        for level in self.levels:
            for bug in level.bugs:
                if bug.id == name.strip():
                    return bug
        known = ", ".join(bug.id for level in self.levels for bug in level.bugs)
        raise BughuntError(f"There is no bug “{name}”. The bugs are: {known}.", "Run `bughunt status`.")

    def level_of(self, bug: Bug) -> Level:
        return next(level for level in self.levels if bug in level.bugs)


def load_catalog(folder: Path | None = None) -> Catalog:
    """Reads every level under `folder` (the installed challenges by default).

    Raises BughuntError for a faulty `level.toml`. A bug's card is read when it is first asked for.
    """
    folder = folder or challenges_folder()
    levels: list[Level] = []
    for source in sorted(folder.glob("level*/level.toml")):
        level = _load_level(source)
        for key in ("number", "name"):
            if getattr(level, key) in [getattr(other, key) for other in levels]:
                raise fault(source, f"`{key}` is {getattr(level, key)}, and another level has it, too")
        levels.append(level)
    if not levels:
        raise fault(folder, "there is no level here: a level is a folder level1, level2, … with a level.toml")
    return Catalog(tuple(sorted(levels, key=lambda level: level.number)))


def _load_level(source: Path) -> Level:
    card = read(source, LevelCard)
    for slug in card.bugs:
        if card.bugs.count(slug) > 1:
            raise fault(source, f"`bugs` lists “{slug}” twice; each bug is listed once")
        if not (source.parent / slug).is_dir():
            from bughunt.content.explaining import suggestion

            folders = sorted(path.parent.name for path in source.parent.glob("*/bug.toml"))
            says = f"`bugs` lists “{slug}”, and there is no such folder beside it"
            raise fault(source, says + suggestion(slug, folders))
    bugs = tuple(Bug(f"{card.number}.{i}", source.parent / slug) for i, slug in enumerate(card.bugs, start=1))
    head = {key: getattr(card, key) for key in LevelHead.__struct_fields__}
    return Level(**head, bugs=bugs)
