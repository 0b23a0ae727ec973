"""`bughunt dev`: the commands of somebody who makes the game."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bughunt.cli.options import AsJson
from bughunt.cli.output import answer, here, show
from bughunt.errors import BughuntError, Exit

app = typer.Typer(
    name="dev",
    help="Tools for those who make the game.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def rebase(
    revision: Annotated[
        str, typer.Option("--from", metavar="REV", help="The commit at which tree and patches fitted.")
    ] = "HEAD",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write none.")] = False,
    as_json: AsJson = False,
) -> int:
    """Refit every patch under challenges/ to a changed tree: exit status 1 when one needs a hand.

    Run it in a checkout of the game, after the tree was edited and before that is committed.
    """
    from bughunt.author.rebase import CHALLENGES, TREE, rebase_repository
    from bughunt.render import working
    from bughunt.screens import rebased

    repository = here()
    if not ((repository / TREE).is_dir() and (repository / CHALLENGES).is_dir()):
        raise BughuntError(
            f"{repository} is no checkout of the game: it has no {TREE}/ and {CHALLENGES}/.",
            "Run this at the top of a checkout.",
        )
    with working("Refitting …") as say:
        results = rebase_repository(
            repository,
            revision,
            write=not dry_run,
            on_patch=lambda one: say(f"Refitted {one.patch.relative_to(repository / CHALLENGES)}"),
        )
    answer(
        as_json,
        lambda: rebased.rebased_document(results, repository, dry_run=dry_run),
        lambda: rebased.rebased(results, repository, dry_run=dry_run),
    )
    return Exit.NOT_FIXED if any(one.outcome == "needs a hand" for one in results) else Exit.DONE


@app.command()
def cost(
    bugs: Annotated[
        list[str] | None, typer.Argument(metavar="[BUG]...", help="Ids of bugs; all of them without.")
    ] = None,
    work: Annotated[Path, typer.Option("--work", help="The folder that the runs are made in.")] = Path(
        "bughunt-cost"
    ),
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Runs at a time, each with one thread.")
    ] = os.cpu_count() or 1,
) -> int:
    """Measure again what bugs cost: whole runs of the tree's recipe, with the bug in and without.

    What is stopped goes on where it was when the same command is given again.
    """
    from bughunt.author.cost.measure import measure_costs
    from bughunt.views import Text

    measure_costs(bugs or (), here() / work, jobs, lambda line: show([Text(line)]))
    return Exit.DONE
