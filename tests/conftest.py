"""Settings of every test: torch with one thread, since two processes with two each starve each other.

Seeds that are drawn anew at every run are drawn here, so that one option repeats them.
"""

import os
import random
from collections.abc import Callable

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")

NewSeeds = Callable[[int], list[int]]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: one worker more than processors, as many tests wait for other processes."""
    affinity = getattr(os, "sched_getaffinity", None)  # what of the machine is ours, where the system tells
    return (len(affinity(0)) if affinity else os.cpu_count() or 1) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, help="draw by this seed what a test draws anew, to repeat its run")


@pytest.fixture
def new_seeds(request: pytest.FixtureRequest) -> NewSeeds:
    """Draws as many seeds as it is asked for, others at every run. A failure shows how to repeat it."""

    def draw(count: int) -> list[int]:
        seed = request.config.getoption("--seed")
        if seed is None:
            seed = random.SystemRandom().randrange(1 << 32)
        soak = " -m soak" if request.node.get_closest_marker("soak") else ""
        print(f"To repeat this very run: pytest '{request.node.nodeid}'{soak} --seed {seed}")
        return random.Random(seed).sample(range(1 << 32), count)

    return draw
