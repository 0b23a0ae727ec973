"""The commands and their order in `--help`."""

from __future__ import annotations

from typing import Annotated

import typer

from bughunt import __version__
from bughunt.cli import author, completion, play
from bughunt.cli.output import find_hunt, show
from bughunt.errors import Exit

app = typer.Typer(
    name="bughunt",
    help="Find and repair the bugs in a small, complete LLM code base.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def overview(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> int:
    """Find and repair the bugs in a small, complete LLM code base.

    Alone, `bughunt` says where the hunt stands and what to do next.
    """
    if version:
        from bughunt.views import Text

        show([Text(f"bughunt {__version__}")])
        raise typer.Exit
    if context.invoked_subcommand is None:
        from bughunt.screens import status

        hunt = find_hunt()
        show(status.status(hunt, hunt.state()) if hunt else status.no_hunt())
    return Exit.DONE


for _command in (
    *(play.start, play.hint, play.probe, play.check, play.watch, play.reset, play.restore, play.status),
    *(play.levels, play.solution, play.debrief, play.doctor, completion.completion),
):
    app.command()(_command)
app.add_typer(author.app)
