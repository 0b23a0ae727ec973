import random

import pytest


@pytest.fixture
def rng() -> random.Random:
    """The same random numbers on every run."""
    return random.Random(20)
