"""Settings of every test: torch with one thread, since two processes with two each starve each other.

What a test draws anew at every run is drawn by one seed for the whole run, so that one option repeats it.
"""

from __future__ import annotations

import os
import random
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bughunt.content.clauses import Clause

os.environ.setdefault("OMP_NUM_THREADS", "1")

NewSeeds = Callable[[int], list[int]]

_SEED = pytest.StashKey[int]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: one worker more than processors, as many tests wait for other processes."""
    affinity = getattr(os, "sched_getaffinity", None)  # what of the machine is ours, where the system tells
    return (len(affinity(0)) if affinity else os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="draw by this seed what is drawn anew, to repeat a run")


def pytest_configure(config: pytest.Config) -> None:
    asked: int | None = config.getoption("--seed")
    # The workers of one run have one environment and know of no other: they all draw the same.
    if asked is None and "PYTEST_XDIST_WORKER" not in os.environ:
        asked = random.SystemRandom().randrange(1 << 32)
        os.environ["BUGHUNT_TESTS_SEED"] = str(asked)
    config.stash[_SEED] = int(os.environ["BUGHUNT_TESTS_SEED"]) if asked is None else asked


def pytest_report_header(config: pytest.Config) -> str:
    return f"to repeat what this run draws: --seed {config.stash[_SEED]}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves to the soak what is not among the `few` cases of a test that a run draws: of a test, or of all
    those of a file that are drawn `together`."""
    if config.getoption("keyword") or any("::" in argument for argument in config.args):
        return  # whoever asks for certain tests gets them
    families: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if few := item.get_closest_marker("few"):
            apart = "::" if few.kwargs.get("together") else "["
            families[item.nodeid.partition(apart)[0], few.args[0]].append(item)
    soak = "soak" in (config.getoption("markexpr") or "").replace("not soak", "")
    for (name, few), family in families.items():
        drawn = random.Random(f"{config.stash[_SEED]} {name}").sample(family, min(few, len(family)))
        for item in family:
            if soak or item not in drawn:
                item.add_marker("soak")


@pytest.fixture(autouse=True)
def few_clauses(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks ask one clause of the contract, not all, so that a test whose subject is another takes no
    longer for it. Those marked `contract` ask what players are asked."""
    if "bughunt" not in sys.modules or request.node.get_closest_marker("contract"):
        return

    from bughunt.content.clauses import load_clauses

    def one() -> list[Clause]:
        return [clause for clause in load_clauses() if clause.slug == "model-logits"]

    monkeypatch.setattr("bughunt.hunt.rest.load_clauses", one)


@pytest.fixture
def new_seeds(request: pytest.FixtureRequest) -> NewSeeds:
    """Draws as many seeds as it is asked for, others at every run. A failure shows how to repeat it.

    All tests of a run begin with the same ones: what the clean tree answers to them is measured once.
    """
    seed = request.config.stash[_SEED]

    def draw(count: int) -> list[int]:
        soak = " -m soak" if request.node.get_closest_marker("soak") else ""
        print(f"To repeat this very run: pytest '{request.node.nodeid}'{soak} --seed {seed}")
        return random.Random(seed).sample(range(1 << 32), count)

    return draw
