"""Measure what bugs cost, again: `python -m bughunt.author.cost [BUG ...]`.

All twelve took 40 minutes on two cores that were not idle beside it. What is stopped goes on where it was
when the same command is given again, and healthy runs are made once for all bugs compared with them.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from bughunt.author.cost.recipes import RECIPES, Bench
from bughunt.author.cost.workshop import Workshop
from bughunt.content.catalog import Bug, load_catalog
from bughunt.content.cost_record import Cost, save_cost
from bughunt.errors import BughuntError, Exit


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bughunt.author.cost", description=__doc__.split("\n")[0])
    parser.add_argument("bugs", nargs="*", metavar="BUG", help="ids of bugs (default: all)")
    parser.add_argument(
        "--work", type=Path, default=Path("bughunt-cost"), help="folder of the runs (default: %(default)s)"
    )
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time, each with one thread"
    )
    settings = parser.parse_args(argv)
    try:
        _measure(settings.bugs, settings.work.absolute(), max(1, settings.jobs))
    except BughuntError as error:
        print(f"{error.message}\n{error.step}".strip(), file=sys.stderr)
        return Exit.NOT_CARRIED_OUT
    except OSError as error:
        print(f"{error.filename}: {error.strerror}. Choose another folder with --work?", file=sys.stderr)
        return Exit.NOT_CARRIED_OUT
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on from here.", file=sys.stderr)
        return Exit.INTERRUPTED
    return Exit.DONE


def _measure(names: Sequence[str], folder: Path, jobs: int) -> None:
    catalog = load_catalog()
    bugs = [catalog.bug(name) for name in names] or [bug for level in catalog.levels for bug in level.bugs]
    version = " ".join(level.version for level in catalog.levels)
    workshop = Workshop(folder, version, lambda line: print(line, flush=True))
    # The speedrun comes first, with all cores; everything else is compared with it.
    workshop.script(None, workshop.base("clean"), "scripts.speedrun")
    os.environ["OMP_NUM_THREADS"] = "1"
    with ThreadPoolExecutor(jobs) as pool:
        for bug, cost in zip(bugs, pool.map(lambda bug: _cost(workshop, bug), bugs), strict=True):
            print(f"{bug.id}: {save_cost(bug.folder, cost)}")
            for name, clean, broken in (figure.row for figure in cost.figures):
                print(f"  {name}: {clean}, {broken} with the bug")


def _cost(workshop: Workshop, bug: Bug) -> Cost:
    return replace(RECIPES[bug.folder.name](Bench(workshop, bug)), machine=_machine())


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
    }


if __name__ == "__main__":
    sys.exit(main())
