"""The installed game: a wheel, built from the checkout, in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bughunt` command of a virtual environment whose path has a space and a letter beyond ASCII.

    Its dependencies are those of the environment that runs the tests; bughunt itself comes from the wheel.
    """
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling")
    folder = tmp_path_factory.mktemp("installed in á place")
    wheels = folder / "wheels"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={wheels}", str(CHECKOUT)],
        check=True,
    )
    (wheel,) = wheels.glob("bughunt-*.whl")
    environment = folder / "venv"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    subprocess.run([*pip, f"--python={python}", "install", "--no-deps", str(wheel)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin" / "bughunt"


@pytest.fixture
def environment() -> dict[str, str]:
    """A shell that has nothing of the checkout in it."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST_", "BUGHUNT"))
    }
