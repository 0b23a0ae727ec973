"""`bughunt dev contract` and `bughunt dev breaks`: the contract, asked of a tree, and measured itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bughunt.cli.options import AsJson, Seed
from bughunt.cli.output import answer, here
from bughunt.errors import BughuntError, Exit


def contract(
    tree: Annotated[
        Path, typer.Argument(metavar="[TREE]", help="A folder with a version of the tree.")
    ] = Path("nanochat"),
    clause: Annotated[
        list[str] | None, typer.Option("--clause", metavar="SLUG", help="Only this one; may be repeated.")
    ] = None,
    seed: Seed = None,
    as_json: AsJson = False,
) -> int:
    """Ask all clauses of a tree: exit status 1 when one is broken."""
    from bughunt.author.contract.asking import ask_all, chosen_clauses
    from bughunt.hunt.judging import new_seed
    from bughunt.render import working
    from bughunt.screens import contract as screens

    folder = here() / tree
    if not (folder / "nanochat").is_dir():
        raise BughuntError(f"{folder} holds no version of the tree.", "Name a folder with nanochat/ in it.")
    seed = new_seed() if seed is None else seed
    with working("Measuring …"):
        asked = ask_all(chosen_clauses(clause or ()), folder, seed)
    answer(as_json, lambda: screens.asked_document(asked, seed), lambda: screens.asked(asked, seed))
    return Exit.NOT_FIXED if any(one.message for one in asked) else Exit.DONE


def breaks(
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many inputs of each clause.")] = 5,
    check: Annotated[bool, typer.Option("--check", help="Compare with breaks.json; write none.")] = False,
    as_json: AsJson = False,
) -> int:
    """Measure what breaks which clause, and write breaks.json: exit status 1 when something must not be.

    The clean tree and every accepted repair keep all of them, each bug and each breaks-….patch breaks one.
    """
    from bughunt.author.contract.breaking import measure_breaks
    from bughunt.content.breaks import read_breaks, write_breaks
    from bughunt.content.catalog import load_catalog
    from bughunt.content.clauses import load_clauses
    from bughunt.hunt.judging import new_seed, open_judge
    from bughunt.render import working
    from bughunt.screens import contract as screens

    drawn = [new_seed() for _ in range(seeds)]
    with working("Measuring …") as say, open_judge(here() / ".bughunt") as judge:
        found = measure_breaks(load_catalog(), load_clauses(), judge, drawn, say)
    if check:
        known = read_breaks()
        found.faults += [f"breaks.json is stale: {name}" for name in screens.stale(known, found.breaks)]
    else:
        write_breaks(found.breaks)
    answer(as_json, lambda: screens.breaks_document(found), lambda: screens.breaks(found))
    return Exit.NOT_FIXED if found.faults else Exit.DONE
