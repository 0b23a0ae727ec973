"""`bughunt dev`: the commands of somebody who makes the game."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bughunt.cli import author_contract
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


app.command()(author_contract.contract)
app.command()(author_contract.breaks)


@app.command()
def mutate(
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE or FILE::FUNCTION]...", help="Where mutants are made; all without."),
    ] = None,
    to_the_end: Annotated[
        bool, typer.Option("--all", help="Ask every clause about a mutant, not only until one notices it.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Mutants at a time; as many as processors without.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="tcp://…", help="Hand the work to this Dask cluster.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, metavar="N", help="Judge N mutants, drawn by the seed.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Draws the clauses' inputs and the sample.")] = 0,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="Save the whole report as a page.")
    ] = None,
    state: Annotated[Path | None, typer.Option("--state", help="The file that keeps what was found.")] = None,
    as_json: AsJson = False,
) -> int:
    """Measure how good the contract is: make small mistakes in the tree, and count those it notices.

    Ctrl-C ends it with a report of what was done. The same command goes on where it was.
    """
    from bughunt.author.mutation.bar import ProgressBar
    from bughunt.author.mutation.ordering import order_here
    from bughunt.render.page import save
    from bughunt.screens import mutation

    wanted = order_here(
        state,
        workers,
        places=places or (),
        to_the_end=to_the_end,
        scheduler=scheduler,
        sample=sample,
        seed=seed,
    )
    # It takes LibCST, which was just looked for.
    from bughunt.author.mutation.mutate import mutate as judge_mutants

    with ProgressBar() as bar:
        found = judge_mutants(wanted, bar)
    if report is not None:
        save(mutation.page(found), here() / report, "Mutants of the tree")
    answer(as_json, lambda: mutation.mutation_document(found), lambda: mutation.mutation(found))
    return Exit.INTERRUPTED if found.interrupted else Exit.DONE
