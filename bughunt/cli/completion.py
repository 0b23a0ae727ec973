"""What a Tab completes: levels of the catalog, bugs of the hunt. Nothing is written anywhere."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bughunt.errors import Exit

# Under this name the script has the shell ask.
REQUEST = "_BUGHUNT_COMPLETE"


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="The shell to be taught.")]) -> int:
    """Print the script that completes commands, levels and bugs in a shell; it is for you to source."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from bughunt.render import show_text

    show_text(get_completion_script(prog_name="bughunt", complete_var=REQUEST, shell=shell.value) + "\n")
    return Exit.DONE


def answer_request(app: typer.Typer) -> None:
    """Answers a shell that asks what it can complete, and exits. What goes wrong is not said there."""
    # Typer registers the shells by itself only along with options that write to the player's shell files.
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):  # noqa: PTH123
        try:
            app(prog_name="bughunt")
        except Exception:
            sys.exit(Exit.NOT_CARRIED_OUT)


def levels(incomplete: str) -> list[str]:
    """The ids of the levels; their other names where no id begins like this."""
    from bughunt.content.catalog import load_catalog

    try:
        catalog = load_catalog()
    except Exception:
        return []
    ids = [level.id for level in catalog.levels if level.id.startswith(incomplete)]
    return ids or [level.name for level in catalog.levels if level.name.startswith(incomplete)]


def bugs(incomplete: str) -> list[str]:
    """The ids of the bugs in the started levels of the hunt that the current folder lies in."""
    from bughunt.disk.kinds import read_own
    from bughunt.hunt.hunt import Hunt
    from bughunt.hunt.state import parse_state

    try:
        hunt = Hunt.find(Path.cwd())
        if hunt is None:
            return []
        # Read as it is: a state that cannot be used is for a command to set aside, and to speak of.
        state, _ = parse_state(read_own(hunt.store.file))
        started = [level for level in hunt.catalog.levels if level.id in state.levels]
    except Exception:
        return []
    return [bug.id for level in started for bug in level.bugs if bug.id.startswith(incomplete)]
