"""Who may import whom in bughunt."""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

from modules import folder_of, imports, modules

# A folder uses only those below it, and all use the modules at the package's top (errors, loading,
# search_path, views). render/ draws views wherever they come from, so that author/ may draw, too.
FROM_TOP_TO_BOTTOM = (
    "cli",
    "watch",
    "screens",
    "author",
    "render",
    "hunt",
    "judge",
    "measure",
    "confine",
    "workspace",
    "content",
    "lab",
    "disk",
    "",
)

# `python -m bughunt` is the command line, although Python wants it at the package's top.
COMMAND_LINE = "bughunt.__main__"

# These import a library that takes long, because they work with it: git, pytest, torch.
WORKS_WITH_A_HEAVY_LIBRARY = {"bughunt.judge.plugin": "pytest", "bughunt.author.cost.inside": "torch"}
HEAVY = ("git", "pytest", "torch")

# The two halves of lab/: what runs beside the player's code, and what must not be there.
MEASURING_HALF = "bughunt.lab.measuring."
EXPECTED_HALF = "bughunt.lab.expected."

# All that the judge knows of measuring: a Measurer, what comes of it, and how to tidy its texts.
OPEN_TO_THE_JUDGE = {"bughunt.measure.measurer", "bughunt.measure.outcomes", "bughunt.measure.texts"}

_IMPORT_ONE_AFTER_THE_OTHER = """
import importlib, sys
heavy = sys.argv[1].split(",")
for name in sys.argv[2:]:
    importlib.import_module(name)
    for found in [one for one in heavy if one in sys.modules]:
        print(name, "imports", found)
        heavy.remove(found)
"""


def test_no_import_goes_upward() -> None:
    rank = {folder: place for place, folder in enumerate(reversed(FROM_TOP_TO_BOTTOM))}
    upward = [
        str(one)
        for one in imports()
        if one.module in modules() and one.importer != COMMAND_LINE
        if folder_of(one.importer) != folder_of(one.module)
        if rank[folder_of(one.importer)] < rank[folder_of(one.module)]
    ]
    assert upward == []


def test_every_folder_has_its_place() -> None:
    assert {folder_of(name) for name in modules()} == set(FROM_TOP_TO_BOTTOM)


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: set[str]() for name in modules()}
    for one in imports():
        if one.module in graph and one.module != one.importer:
            graph[one.importer].add(one.module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" ← ".join(error.args[1])) from None


def test_what_measures_knows_nothing_of_the_game() -> None:
    known = {one.module for one in imports() if folder_of(one.importer) == "measure"} & modules().keys()
    assert {folder_of(name) for name in known} == {"measure", "confine", "disk", ""}


def test_the_judge_does_not_know_how_code_is_run() -> None:
    known = {one.module for one in imports() if folder_of(one.importer) == "judge"} & modules().keys()
    assert {name for name in known if folder_of(name) == "measure"} <= OPEN_TO_THE_JUDGE


def test_the_players_code_is_imported_only_where_it_is_measured() -> None:
    importers = {one.importer for one in imports() if one.module.split(".")[0] in ("nanochat", "scripts")}
    assert importers
    assert {name for name in importers if not _measures(name)} == set()


def test_what_is_expected_is_not_to_be_had_where_it_is_measured() -> None:
    peeking = [
        str(one)
        for one in imports()
        if one.importer.startswith(MEASURING_HALF) and one.module.startswith(EXPECTED_HALF)
    ]
    assert peeking == []


def test_light_modules_import_no_heavy_library() -> None:
    light = [
        name
        for name in modules()
        if not name.startswith(MEASURING_HALF)
        and name not in WORKS_WITH_A_HEAVY_LIBRARY
        and name != COMMAND_LINE
    ]
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ONE_AFTER_THE_OTHER, ",".join(HEAVY), *light],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def _measures(name: str) -> bool:
    """Does this module run in the process that measures?"""
    return name == "bughunt.author.cost.inside" or name.startswith(MEASURING_HALF)
