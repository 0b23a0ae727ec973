"""What the watch shows, as plain records and views. Nothing here decides what happens, or draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bughunt.content.level import Bug, Level
from bughunt.hunt.rest import Rest
from bughunt.judge import Verdict
from bughunt.screens.verdicts import rest as rest_views
from bughunt.screens.verdicts import verdict as verdict_views
from bughunt.views import Item, Text, View
from bughunt.watch.events import Event

# Stands for what must still hold besides the bugs.
REST = "rest"


@dataclass(frozen=True)
class Row:
    """A bug of the level. `kind` is the last verdict recorded, `verdict` the same with its message where
    this watch has judged it, by `seed`; `queued` while it waits to be judged."""

    bug: Bug
    kind: str | None
    solved: bool
    verdict: Verdict | None = None
    seed: int = 0
    queued: bool = False


@dataclass(frozen=True)
class Scene:
    """The state of the watch. `running` is the id of the bug that is being judged, or REST; `saves` counts.

    `rest` is what became of the rest when it was last judged here, `broken` the titles of the
    clauses that the hunt has seen broken.
    """

    level: Level
    rows: tuple[Row, ...]
    earned: int
    most: int
    manual: bool
    running: str | None = None
    saves: int = 0
    unchecked: bool = False
    warnings: tuple[str, ...] = ()
    rest: Rest | None = None
    rest_queued: bool = False
    broken: tuple[str, ...] = ()

    @property
    def fixed(self) -> int:
        return sum(row.kind == "fixed" for row in self.rows)


@dataclass(frozen=True)
class Choice:
    """A key that answers a page's question, and what then happens."""

    key: str
    label: str
    event: Event


@dataclass(frozen=True)
class Page:
    """What the player has asked to see: shown in the place of the selected bug's verdict."""

    views: Sequence[View]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The session has ended by an error that nobody had expected."""

    error: BaseException


def headline(scene: Scene, width: int) -> str:
    """The line at the top, the progress in it. `width` in columns."""
    count = len(scene.rows)
    full = 20 * scene.fixed // count if count else 0
    parts = [
        f"{scene.fixed} of {count} fixed",
        f"{scene.level.id} ({scene.level.name})",
        f"[{'#' * full}{'-' * (20 - full)}]",
        f"{scene.earned} of {scene.most} points",
    ]
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts.pop()
    return "  ".join(parts)


def standing(row: Row, scene: Scene, seconds: int) -> str:
    """What a bug's line says of it; `seconds` is how long the running check has taken so far."""
    if scene.running == row.bug.id:
        return f"judging {seconds} s" if seconds > 1 else "judging"
    return (row.kind or ("not checked" if not row.queued else "waiting")) + (" …" if row.queued else "")


def rest_line(scene: Scene) -> str:
    """What stands below the bugs: what became of the rest, as far as that is known."""
    if scene.running == REST:
        return "the rest: judging"
    if scene.rest_queued:
        return "the rest: waiting"
    if scene.rest is not None and scene.rest.trouble:
        return f"the rest: unknown. {scene.rest.trouble}"
    if scene.broken:
        return f"no longer as it was: {', '.join(scene.broken)}"
    return "the rest: as it was" if scene.rest is not None else ""


def bug_page(row: Row, scene: Scene) -> list[View]:
    """The selected bug: the failure message, or the success, what it is about; and what else is broken."""
    return [*_bug_page(row, scene), *(rest_views(scene.rest) if scene.broken and scene.rest else [])]


def _bug_page(row: Row, scene: Scene) -> list[View]:
    title = Text(f"{row.bug.id}  {row.bug.card.title}", "strong")
    symptom = Text(row.bug.card.symptom)
    if row.kind == "fixed":
        remark = [Text(row.verdict.message)] if row.verdict is not None and row.verdict.message else []
        success = Text(f"{row.bug.id} is fixed.", "good")
        return [title, success, *remark, Text(_after_success(scene)), symptom]
    if row.verdict is not None:
        bug, seed = row.bug.id, row.seed
        repeat = Text(f"To repeat this very run: `bughunt check {bug} --seed {seed}`", "dim")
        return [title, *verdict_views(row.verdict), symptom, repeat]
    if row.kind is not None:
        return [title, symptom, Text("It was checked outside this watch: c checks it here.", "dim")]
    return [title, symptom, *([Text("Press c to check.", "dim")] if scene.manual else [])]


def _after_success(scene: Scene) -> str:
    if scene.fixed == len(scene.rows) and not scene.broken:
        return "That was the last of this level: n goes on to the next, s shows the solution of this one."
    return "s shows its solution and why it matters. The other bugs wait until you choose one."


def unsolved(bug: Bug, level: Level) -> Page:
    """What is shown in the place of the solution of a bug that is not solved."""
    text = (
        "Once it is, this key shows its solution. "
        f"`bughunt solution {bug.id}` opens it before, for all of its {level.points} points."
    )
    return Page([Item(f"{bug.id} is not fixed yet.", text, "warn")])


def nothing_edited(level: Level) -> Page:
    return Page([Text(f"The code is as {level.id} starts: nothing is edited.")])
