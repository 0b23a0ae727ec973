"""One level of a hunt that has been started: its record, and its workspace fit for this or that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bughunt.content.level import Bug, Level
from bughunt.disk.kinds import kind_of
from bughunt.errors import BughuntError
from bughunt.hunt.state import LevelRecord

if TYPE_CHECKING:
    from bughunt.workspace.rescue import Rescues
    from bughunt.workspace.workspace import Workspace


@dataclass(frozen=True)
class StartedLevel:
    """`level` in the hunt whose `.bughunt` is `folder`, with its record in the state."""

    level: Level
    record: LevelRecord
    folder: Path

    @property
    def path(self) -> Path:
        """Where the workspace is, or should be."""
        return self.folder.parent / self.record.workspace

    @property
    def workspace(self) -> Workspace:
        return workspace_at(self.path, self.level, self.folder, guided=self.record.guided)

    @property
    def is_there(self) -> bool:
        return kind_of(self.path) == "folder"

    @property
    def is_in_the_way(self) -> bool:
        """Is something else than a folder where the workspace should be?"""
        return kind_of(self.path) not in (None, "folder")

    @property
    def is_current(self) -> bool:
        """Was it made from this very version of the level?"""
        return self.record.version == self.level.version

    def cut_short(self) -> BughuntError | None:
        """What to tell the player where a command was ended while it overwrote the workspace."""
        if kind_of(overwriting_mark(self.folder, self.level)) is None:
            return None
        from bughunt.workspace.workspace import cut_short

        interrupted = self.workspace.interrupted
        return cut_short(self.level, interrupted) if interrupted else None

    def current(self) -> StartedLevel:
        """This, when the workspace is there and of this version of the game. Raises BughuntError if not."""
        if self.is_in_the_way:
            raise in_the_way(self.path)
        if not self.is_there:
            raise BughuntError(
                f"The workspace {self.path} is gone.",
                f"Run `bughunt start {self.level.id}` to make it again.",
            )
        if not self.is_current:
            raise BughuntError(
                f"{self.level.id} was started with another version of the game: its code is not this one's.",
                f"Run `bughunt start {self.level.id} --fresh` to start it over (your edits are kept aside).",
            )
        return self

    def ready(self) -> StartedLevel:
        """This, when the workspace is fit to be measured. Raises BughuntError if it is not."""
        error = self.current().cut_short()
        if error is not None:
            raise error
        return self


def in_the_way(path: Path) -> BughuntError:
    """What to say of something of the player's that stands where a workspace should be."""
    if kind_of(path) == "link":
        return BughuntError(
            f"{path} is in the way: it is a link, and a workspace is a folder of the hunt's own.",
            f"Put the folder itself in its place, or move the link away and run `bughunt start {path.name}`.",
        )
    return BughuntError(
        f"{path} is in the way: it is not a workspace of this game.",
        "Move it, or start the hunt in an empty folder.",
    )


def workspace_at(path: Path, level: Level, folder: Path, *, guided: bool) -> Workspace:
    """The workspace of `level` at `path`, in the hunt whose `.bughunt` is `folder`."""
    from bughunt.workspace.workspace import Workspace

    mark = overwriting_mark(folder, level)
    return Workspace(path, level, guided=guided, mark=mark, scratch=folder / "scratch")


def overwriting_mark(folder: Path, level: Level) -> Path:
    """The file that is there while a command overwrites the level's workspace."""
    return folder / f"{level.id}.overwriting"


def rescues_in(folder: Path) -> Rescues:
    """What has been set aside in the hunt whose `.bughunt` is `folder`."""
    from bughunt.workspace.rescue import Rescues

    return Rescues(folder / "rescues")


def sharing_files(level: Level, bug: Bug) -> list[Bug]:
    """The bugs of the level that live in a file of `bug`'s, itself included."""
    return [other for other in level.bugs if set(other.files) & set(bug.files)]
