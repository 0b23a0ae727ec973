"""Does the judge work, both ways: each check passes the clean tree, and fails it with the bug in?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from bughunt.content.installed import tree_folder
from bughunt.content.level import Bug
from bughunt.disk.places import explained, temporary_folder
from bughunt.errors import BughuntError
from bughunt.hunt.doctor.confinement import examine_confinement
from bughunt.hunt.doctor.finding import Finding, Step
from bughunt.hunt.doctor.steps import Steps

_GUARDED = "closed to other programs of yours"
_OPEN = (
    "open to other programs of yours, the code that is judged among them: this system cannot close it, so a "
    "verdict holds for code that does not go looking for it"
)


def examine_judge(bugs: Sequence[Bug], steps: Steps) -> Iterator[Finding | Step]:
    """Two steps for each bug. What keeps the judge from working at all is a finding, too."""
    try:
        yield from _both_ways(bugs, steps)
    except BughuntError as error:
        yield Finding("the judge", False, error.message, error.step)


def _both_ways(bugs: Sequence[Bug], steps: Steps) -> Iterator[Finding | Step]:
    from bughunt.judge import Judge
    from bughunt.workspace.injection import inject

    seed = int.from_bytes(os.urandom(4)) >> 1
    with temporary_folder() as folder, explained(folder), Judge(tree_folder()) as judge:
        yield Finding("the judge's memory", True, _GUARDED if judge.is_guarded else _OPEN)
        yield from examine_confinement()
        for bug in bugs:
            what = f"check {bug.id} on the clean tree"
            yield steps.next(what)
            clean = judge.judge(bug, tree_folder(), seed)
            well = clean.kind == "fixed"
            yield Finding(what, well, _says(clean.kind, well), f"{clean.message} (seed {seed})")
            if not well:
                steps.skip()
                continue
            what = f"check {bug.id} with the bug in"
            yield steps.next(what)
            try:
                inject(folder / bug.id, [bug])
            except BughuntError as error:
                yield Finding(what, False, "not injected", error.message)
                continue
            broken = judge.judge(bug, folder / bug.id, seed)
            well = broken.kind == "broken"
            yield Finding(what, well, _says(broken.kind, well), f"{broken.message} (seed {seed})")


def _says(verdict: str, well: bool) -> str:
    return f"says {verdict}" + (", as it should" if well else ", and should not")
