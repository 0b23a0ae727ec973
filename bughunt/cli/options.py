"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from bughunt.cli.completion import bugs

BugArgument = Annotated[
    str | None,
    typer.Argument(metavar="[BUG]", help="A bug's id, such as 1.2.", show_default=False, autocompletion=bugs),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Draw the inputs by this seed, to repeat a run.", show_default=False),
]
