"""`bughunt dev`: the commands of somebody who makes the game."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="dev",
    help="Tools for those who make the game.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
