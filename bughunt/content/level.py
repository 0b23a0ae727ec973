"""A level and its bugs, as they are played."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from bughunt.content.cards import Card, LevelHead
from bughunt.content.installed import tree_folder
from bughunt.content.reading import fault, read
from bughunt.content.tree import tree_files


@dataclass(frozen=True)
class Bug:
    """One bug: its id (`1.2`) and its folder."""

    id: str
    folder: Path

    @cached_property
    def card(self) -> Card:
        """What `bug.toml` says; read when it is first asked for. Raises BughuntError for a faulty one."""
        return read(self.source, Card)

    @property
    def source(self) -> Path:
        """The file that the card is written in."""
        return self.folder / "bug.toml"

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


class Level(LevelHead, frozen=True, dict=True):
    """An ordered set of bugs. `points` is what each of them is worth; `minutes` what they may take."""

    bugs: tuple[Bug, ...]

    @property
    def id(self) -> str:
        return f"level{self.number}"

    @property
    def names(self) -> tuple[str, ...]:
        """What a player may call it."""
        return self.id, str(self.number), self.name

    @cached_property
    def version(self) -> str:
        """A hash of all that a workspace of this level is made from: the tree and the level's patches.

        Raises BughuntError when a patch is missing.
        """
        digest = sha256()
        tree = tree_folder()
        for path in tree_files(tree):
            digest.update(path.encode() + b"\0" + (tree / path).read_bytes() + b"\0")
        for bug in self.bugs:
            digest.update(bug.id.encode() + b"\0" + _contents(bug.patch) + b"\0")
        return digest.hexdigest()[:16]


def _contents(patch: Path) -> bytes:
    try:
        return patch.read_bytes()
    except OSError as error:
        raise fault(patch, f"cannot be read: {error.strerror}; a bug needs its patch") from error
