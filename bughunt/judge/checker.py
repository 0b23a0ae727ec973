"""Running one bug's check with pytest, in this process, on data that was measured elsewhere."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class CheckResult:
    """`passed`; `failed`, by an assertion whose message is `message`; or `error`, by anything else."""

    kind: Literal["passed", "failed", "error"]
    message: str = ""


def run_check(check: Path, inputs: Any, measured: Any) -> CheckResult:
    """Runs the pytest file `check`, whose tests take the fixtures `inputs` and `measured`."""
    import pytest

    class Bench:
        """A pytest plugin: hands the data to the tests, and notes how they end."""

        def __init__(self) -> None:
            self.passed = 0
            self.problems: list[CheckResult] = []

        @pytest.fixture(name="inputs")
        def give_inputs(self) -> Any:
            return copy.deepcopy(inputs)

        @pytest.fixture(name="measured")
        def give_measured(self) -> Any:
            return copy.deepcopy(measured)

        @pytest.hookimpl
        def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
            if call.excinfo is None:
                self.passed += call.when == "call"
                return
            error = call.excinfo.value
            if call.when == "call" and isinstance(error, (AssertionError, pytest.fail.Exception)):
                self.problems.append(CheckResult("failed", str(error)))
            else:
                self.problems.append(CheckResult("error", f"{item.name}: {type(error).__name__}: {error}"))

        @pytest.hookimpl
        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            if report.failed:
                self.problems.append(CheckResult("error", str(report.longrepr)))

    bench = Bench()
    arguments = [
        str(check),
        f"--rootdir={check.parents[2]}",
        f"--config-file={Path(__file__).with_name('pytest.ini')}",
        f"--confcutdir={check.parent}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:terminal",
        "-p",
        "no:faulthandler",
        "-p",
        "no:unraisableexception",
        "-p",
        "no:threadexception",
    ]
    with _undisturbed():
        status = pytest.main(arguments, plugins=[bench])
    # A check that stops at its first failure says the most basic thing that is wrong.
    for kind in ("error", "failed"):
        for problem in bench.problems:
            if problem.kind == kind:
                return problem
    if status != pytest.ExitCode.OK or bench.passed == 0:
        return CheckResult("error", f"pytest ended with status {int(status)} after {bench.passed} tests")
    return CheckResult("passed")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """pytest without what the player's shell tells it, and without bytecode written beside the checks."""
    saved = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(saved)
        sys.dont_write_bytecode = writes_bytecode
