"""What it costs to hold the measured code: verdicts with each confinement, beside verdicts with none.

    python tests/bench/bench_confinement.py [BUG] [ROUNDS]

A verdict `fixed` takes two measurements, at the same time on two processors. "first" is the first one, from a
new judge on; "warm" the median of the later ones, in which the confinements take turns.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bughunt.confine import hold
from bughunt.content.catalog import load_catalog
from bughunt.content.installed import own_folders, tree_folder
from bughunt.judge import Judge
from bughunt.measure.measurer import Confinement, Measurer, workers_here
from bughunt.measure.sandbox import WAYS, trouble_with
from bughunt.workspace.injection import inject


def main() -> None:
    bug = load_catalog().bug(sys.argv[1] if len(sys.argv) > 1 else "1.1")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    first: dict[str, float] = {}
    warm: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-confinement-") as folder, ExitStack() as opened:
        workspace = Path(folder) / "hunt" / "level1"
        workspace.parent.mkdir()
        inject(workspace, [])
        judges = {}
        for confinement in confinements():
            began = time.perf_counter()
            measurer = Measurer(confinement=confinement, hidden=own_folders(), workers=workers_here())
            judges[confinement] = opened.enter_context(Judge(tree_folder(), measurer))
            judges[confinement].prepare([bug], workspace)
            assert judges[confinement].judge(bug, workspace, 0).kind == "fixed"
            first[confinement] = time.perf_counter() - began
        for seed in range(rounds):
            for confinement, judge in judges.items():
                began = time.perf_counter()
                assert judge.judge(bug, workspace, seed).kind == "fixed"
                warm.setdefault(confinement, []).append(time.perf_counter() - began)
    print(f"bug {bug.id}, {rounds} rounds; seconds, and beside no confinement")
    for confinement, seconds in warm.items():
        middle = statistics.median(seconds)
        ratio = middle / statistics.median(warm["none"])
        print(
            f"{confinement:11} first {first[confinement]:5.2f} ({first[confinement] / first['none']:4.2f} x)"
            f"   warm {middle:6.3f} ({ratio:4.2f} x)"
        )


def confinements() -> list[Confinement]:
    """Those that this system has."""
    held: list[Confinement] = [] if hold.lacking() else ["default"]
    ways: list[Confinement] = [way for way in WAYS if held and trouble_with(way) is None]
    return ["none", *held, *ways]


if __name__ == "__main__":
    main()
