"""Settings of every test: torch with one thread, since two processes with two each starve each other."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means: one worker more than processors, as many tests wait for other processes."""
    affinity = getattr(os, "sched_getaffinity", None)  # what of the machine is ours, where the system tells
    return (len(affinity(0)) if affinity else os.cpu_count() or 1) + 1
