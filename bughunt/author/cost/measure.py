"""Measuring again what bugs cost: the work of `bughunt dev cost`."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.author.cost.workshop import Workshop
from bughunt.content.catalog import load_catalog
from bughunt.content.cost_record import Cost, save_cost
from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.loading import load_module


def measure_costs(names: Sequence[str], folder: Path, jobs: int, say: Callable[[str], object]) -> None:
    """Measures the bugs with these ids, all where there are none, and writes `cost.json` beside each.

    The runs are made in `folder`, `jobs` at a time with one thread each. What is stopped goes on where it was
    when it is asked for again, and healthy runs are made once for all bugs compared with them. `say` is given
    lines of progress, by several threads. Raises BughuntError.
    """
    catalog = load_catalog()
    bugs = [catalog.bug(name) for name in names] or [bug for level in catalog.levels for bug in level.bugs]
    recipes = [_recipe(bug) for bug in bugs]
    version = " ".join(level.version for level in catalog.levels)
    try:
        workshop = Workshop(folder.absolute(), version, say)
        # It comes first, with all cores: everything else is compared with it.
        workshop.speedrun()
        with ThreadPoolExecutor(max(1, jobs)) as pool:
            costs = pool.map(lambda bug, recipe: recipe(PairedRuns(workshop, bug)), bugs, recipes)
            for bug, cost in zip(bugs, costs, strict=True):
                say(f"{bug.id}: {save_cost(bug.folder, replace(cost, machine=_machine()))}")
                for name, clean, broken in (figure.row for figure in cost.figures):
                    say(f"  {name}: {clean}, {broken} with the bug")
    except OSError as error:
        path = Path(error.filename or folder)
        step = "Choose another folder with --work." if path.is_relative_to(folder.absolute()) else ""
        raise BughuntError(f"{path}: {error.strerror or error}", step) from error


def _recipe(bug: Bug) -> Callable[[PairedRuns], Cost]:
    """The function `cost` of the bug's folder. Raises BughuntError where there is none."""
    path = bug.folder / "cost.py"
    if not path.is_file():
        raise BughuntError(f"{path} is missing: it says what is run to tell what the bug costs.")
    module = load_module(str(path), f"bughunt_cost_{bug.id.replace('.', '_')}")
    recipe: Callable[[PairedRuns], Cost] | None = getattr(module, "cost", None)
    if recipe is None:
        raise BughuntError(f"{path} has no function `cost`.")
    return recipe


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }
