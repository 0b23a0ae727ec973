"""Does this machine have what the game needs, can it be played here, does the judge work, both ways?"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from bughunt.content.catalog import Catalog
from bughunt.hunt.doctor.finding import Finding, Step
from bughunt.hunt.doctor.judging import examine_judge
from bughunt.hunt.doctor.machine import examine_machine
from bughunt.hunt.doctor.place import examine_place
from bughunt.hunt.doctor.records import examine_records
from bughunt.hunt.doctor.steps import Steps

__all__ = ["Finding", "Step", "examine"]


def examine(catalog: Catalog, place: Path, hunt: Path | None = None) -> Generator[Finding | Step, None, None]:
    """What is found, and before each part what is about to be done.

    First the machine; then the place of play, which is the folder of the `hunt`, or `place` where there is
    none; then, if the machine lacks nothing, the judge on the clean tree and on every bug.
    """
    bugs = [bug for level in catalog.levels for bug in level.bugs]
    steps = Steps(2 + 2 * len(bugs))
    yield steps.next("what is installed", quick=True)
    machine = list(examine_machine())
    yield from machine
    yield steps.next(f"the folder {hunt or place}", quick=True)
    yield from examine_place(hunt or place)
    if hunt is not None:
        yield from examine_records(hunt)
    if all(finding.well for finding in machine):
        yield from examine_judge(bugs, steps)
