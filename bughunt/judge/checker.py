"""Running one bug's check with pytest, in this process, on data that was measured elsewhere."""

from __future__ import annotations

import copy
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bughunt.loading import load_module
from bughunt.measure.environment import trusted_search_path

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class CheckResult:
    """`passed`; `failed`, by an assertion whose message is `message`; or `error`, by anything else."""

    kind: Literal["passed", "failed", "error"]
    message: str = ""


class Check:
    """The pytest file at `path`, whose tests take the fixtures `inputs` and `measured`.

    It is loaded here, with all that it imports: what becomes of the file afterwards does not matter.
    """

    def __init__(self, path: Path) -> None:
        with _undisturbed():
            importlib.import_module("pytest")
            self._module = load_module(str(path), "bughunt_check")

    def run(self, inputs: Any, measured: Any) -> CheckResult:
        """What the check says of a measurement. Raises KeyboardInterrupt when that was interrupted."""
        import pytest

        module = self._module

        class Bench:
            """A pytest plugin: hands the loaded check and the data to the tests, and notes how they end."""

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
            def pytest_pycollect_makemodule(
                self, module_path: Path, parent: pytest.Collector
            ) -> pytest.Module:
                node: pytest.Module = pytest.Module.from_parent(parent, path=module_path)
                node.obj = module
                return node

            @pytest.hookimpl
            def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
                if call.excinfo is None:
                    self.passed += call.when == "call"
                    return
                error = call.excinfo.value
                if call.when == "call" and isinstance(error, (AssertionError, pytest.fail.Exception)):
                    self.problems.append(CheckResult("failed", str(error)))
                else:
                    text = f"{item.name}: {type(error).__name__}: {error}"
                    self.problems.append(CheckResult("error", text))

            @pytest.hookimpl
            def pytest_collectreport(self, report: pytest.CollectReport) -> None:
                if report.failed:
                    self.problems.append(CheckResult("error", str(report.longrepr)))

        bench = Bench()
        with _undisturbed():
            status = pytest.main(_arguments(), plugins=[bench])
        if status == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        # A check that stops at its first failure says the most basic thing that is wrong.
        for kind in ("error", "failed"):
            for problem in bench.problems:
                if problem.kind == kind:
                    return problem
        if status != pytest.ExitCode.OK or bench.passed == 0:
            return CheckResult("error", f"pytest ended with status {int(status)} after {bench.passed} tests")
        return CheckResult("passed")


def _arguments() -> list[str]:
    here = Path(__file__).parent
    unwanted = ("cacheprovider", "terminal", "faulthandler", "unraisableexception", "threadexception")
    return [
        # Any file does: the module that was loaded stands in for it.
        __file__,
        f"--rootdir={here}",
        f"--config-file={here / 'pytest.ini'}",
        f"--confcutdir={here}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        *(f"-pno:{name}" for name in unwanted),
    ]


@contextmanager
def _undisturbed() -> Iterator[None]:
    """pytest without what the player's shell tells it, modules from none of the player's folders, and no
    bytecode written beside the checks."""
    saved = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    search_path, sys.path[:] = list(sys.path), trusted_search_path()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
        os.environ.update(saved)
        sys.dont_write_bytecode = writes_bytecode
        sys.path[:] = search_path
