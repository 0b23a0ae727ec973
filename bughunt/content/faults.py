"""What is wrong with challenges, for their author: all that can be seen without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bughunt.content.against_tree import AgainstTree
from bughunt.content.bug_files import faults_of_files
from bughunt.content.catalog import Catalog
from bughunt.content.cost_record import load_cost
from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug, Level
from bughunt.content.reading import fault
from bughunt.errors import BughuntError


def faults(catalog: Catalog, tree: Path | None = None) -> list[BughuntError]:
    """Each fault as an error with one sentence; `tree` is the code base (the installed one by default).

    What is wrong with the `level.toml` of a level is not among them: `load_catalog` raises that.
    """
    against_tree = AgainstTree(tree or tree_folder())
    found: list[BughuntError] = []
    for level in catalog.levels:
        found += _faults_of_level(level)
        for bug in level.bugs:
            found += faults_of_files(bug)
            for examine in (against_tree.faults, _faults_of_cost):
                try:
                    found += examine(bug)
                except BughuntError as error:
                    found.append(error)
    return found


def _faults_of_level(level: Level) -> Iterator[BughuntError]:
    folder = level.bugs[0].folder.parent
    source = folder / "level.toml"
    if folder.name != level.id:
        yield fault(source, f"`number` makes this {level.id}, and the folder is called {folder.name}")
    listed = {bug.folder.name for bug in level.bugs}
    for card in sorted(folder.glob("*/bug.toml")):
        if card.parent.name not in listed:
            yield fault(source, f"`bugs` does not list “{card.parent.name}”, a folder with a bug.toml")


def _faults_of_cost(bug: Bug) -> Iterator[BughuntError]:
    """None but what reading the figures raises: a bug need not have any yet."""
    load_cost(bug.folder)
    return iter(())
