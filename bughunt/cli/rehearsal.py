"""All that a command does once code of a workspace has run, done before.

That code may be able to write to the game's own files and to those of Python's packages. What is loaded by
then stays as it was: nothing of either is imported or read afterwards, whichever way the command ends.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from typing import TYPE_CHECKING

from bughunt.errors import BughuntError

if TYPE_CHECKING:
    from bughunt.hunt.hunt import Hunt

# Imported where they are needed, by commands of which most need none of them.
_LATE = (
    "email.parser",
    "bughunt.cli.crash",
    "bughunt.hunt.announced",
    "bughunt.screens.document",
    "bughunt.screens.verdicts",
)


def rehearse(hunt: Hunt, *further: str) -> None:
    """Loads what it takes to show and to record verdicts, and to end with an error; and `further` modules."""
    from bughunt.hunt.events import Check
    from bughunt.hunt.state import State
    from bughunt.render import rehearse as draw_nowhere
    from bughunt.screens import debrief, status

    for name in (*_LATE, *further):
        import_module(name)
    draw_nowhere()
    state = hunt.state()
    solved = State(levels=state.levels, active=state.active)
    solved.apply(
        Check(bug=bug.id, verdict="fixed", seed=0) for level in hunt.catalog.levels for bug in level.bugs
    )
    for one in (state, solved):
        with suppress(BughuntError):
            debrief.level_debrief(hunt.active(one), one)
            status.next_step(hunt, one)


def modules_of(*packages: str) -> list[str]:
    """The names of all modules in some packages."""
    found = []
    for package in packages:
        folders = import_module(package).__path__
        found += [module.name for module in walk_packages(folders, f"{package}.")]
    return found
