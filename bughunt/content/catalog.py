"""Levels, bugs and hints: what an author wrote under `challenges/`, read into immutable records.

challenges/level1/level.toml            one level, and the order of its bugs
challenges/level1/<slug>/bug.toml       one bug's card; patch, check and the rest lie beside it
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from bughunt.content.installed import challenges_folder, tree_folder
from bughunt.errors import BughuntError

HINTS_PER_BUG = 4


@dataclass(frozen=True)
class Place:
    """Where a bug lives: a file of the tree and the qualified name of a function in it."""

    file: str
    function: str


@dataclass(frozen=True)
class Card:
    """What `bug.toml` says.

    `cost` is how to read the figures of `cost.json`; `preload` lists the modules a measurement wants
    imported beforehand.
    """

    title: str
    symptom: str
    hints: tuple[str, ...]
    pattern: str
    consequence: str
    why: str
    cost: str
    where: tuple[Place, ...]
    preload: tuple[str, ...]


@dataclass(frozen=True)
class Bug:
    """One bug: its id (`1.2`) and its folder."""

    id: str
    folder: Path

    @cached_property
    def card(self) -> Card:
        """What `bug.toml` says; read when it is first asked for. Raises BughuntError for a faulty one."""
        return _load_card(self.folder / "bug.toml")

    @property
    def patch(self) -> Path:
        return self.folder / "bug.patch"

    @property
    def measure(self) -> Path:
        return self.folder / "measure.py"

    @property
    def check(self) -> Path:
        return self.folder / "check.py"

    @property
    def probe(self) -> Path:
        return self.folder / "probe.py"

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the tree that the bug lives in, relative to the tree."""
        return tuple(dict.fromkeys(place.file for place in self.card.where))


@dataclass(frozen=True)
class Level:
    """An ordered set of bugs. `points` is what each of them is worth; `minutes` what they may take."""

    number: int
    name: str
    title: str
    blurb: str
    topics: tuple[str, ...]
    minutes: int
    points: int
    strategies: tuple[str, ...]
    bugs: tuple[Bug, ...]

    @property
    def id(self) -> str:
        return f"level{self.number}"

    @cached_property
    def version(self) -> str:
        """A hash of all that a workspace of this level is made from: the tree and the level's patches."""
        digest = sha256()
        tree = tree_folder()
        for path in tree_files(tree):
            digest.update(path.encode() + b"\0" + (tree / path).read_bytes() + b"\0")
        for bug in self.bugs:
            digest.update(bug.id.encode() + b"\0" + bug.patch.read_bytes() + b"\0")
        return digest.hexdigest()[:16]


class Catalog:
    """All there is to play."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    def level(self, name: str) -> Level:
        """The level that `level2`, `2` or `medium` names. Raises BughuntError for any other name."""
        wanted = name.strip().lower()
        for level in self.levels:
            if wanted in (level.id, str(level.number), level.name):
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


def tree_files(tree: Path) -> Iterator[str]:
    """The tree's files in a fixed order, as POSIX paths; what running it leaves behind is passed over."""
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree)
        if path.is_file() and not is_by_product(relative.as_posix()):
            yield relative.as_posix()


def is_by_product(path: str) -> bool:
    """Is this file (relative to a tree) something that running the tree, or a tool, leaves behind?"""
    parts = path.split("/")
    in_tools_folder = any(part == "__pycache__" or part.startswith(".") for part in parts[:-1])
    return parts[0] == "runs" or in_tools_folder or path.endswith((".pyc", ".pyo"))


def load_catalog(folder: Path | None = None) -> Catalog:
    """Reads every level under `folder` (the installed challenges by default)."""
    folder = folder or challenges_folder()
    levels = [_load_level(path.parent) for path in folder.glob("level*/level.toml")]
    return Catalog(tuple(sorted(levels, key=lambda level: level.number)))


def _load_level(folder: Path) -> Level:
    source = folder / "level.toml"
    data = _read_toml(source)
    slugs = data.pop("bugs", [])
    bugs = tuple(Bug(f"{data.get('number')}.{i}", folder / slug) for i, slug in enumerate(slugs, start=1))
    _expect_keys(source, data, {field.name for field in fields(Level)} - {"bugs"})
    data["topics"] = tuple(data["topics"])
    data["strategies"] = tuple(data["strategies"])
    return Level(**data, bugs=bugs)


def _load_card(source: Path) -> Card:
    data = _read_toml(source)
    _expect_keys(source, data, {field.name for field in fields(Card)})
    for place in data["where"]:
        _expect_keys(source, place, {field.name for field in fields(Place)})
    if len(data["hints"]) != HINTS_PER_BUG:
        raise BughuntError(f"{source}: `hints` has {len(data['hints'])} entries; a bug has {HINTS_PER_BUG}.")
    return Card(
        title=data["title"],
        symptom=data["symptom"].strip(),
        hints=tuple(hint.strip() for hint in data["hints"]),
        pattern=data["pattern"],
        consequence=data["consequence"],
        why=data["why"].strip(),
        cost=data["cost"].strip(),
        where=tuple(Place(**place) for place in data["where"]),
        preload=tuple(data["preload"]),
    )


def _read_toml(source: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BughuntError(f"{source} cannot be read: {error}", "Install bughunt again.") from error


def _expect_keys(source: Path, data: Mapping[str, Any], expected: set[str]) -> None:
    for key in sorted(expected - data.keys()):
        raise BughuntError(f"{source}: the key `{key}` is missing.")
    for key in sorted(data.keys() - expected):
        raise BughuntError(f"{source}: the key `{key}` means nothing here.")
