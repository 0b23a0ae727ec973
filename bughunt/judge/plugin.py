"""The pytest plugin that runs one check: nothing on the command line or on the disk has a say in it."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from bughunt.judge.check_result import CheckResult


class CheckPlugin:
    """Has pytest collect the check that was loaded as `module`, hands the data to its tests, and notes how
    they end."""

    def __init__(self, module: ModuleType, inputs: Any, measured: Any, clean: Any) -> None:
        self.passed = 0
        self.problems: list[CheckResult] = []
        self._module = module
        self._inputs = inputs
        self._measured = measured
        self._clean = clean

    @pytest.fixture(name="inputs")
    def give_inputs(self) -> Any:
        return copy.deepcopy(self._inputs)

    @pytest.fixture(name="measured")
    def give_measured(self) -> Any:
        return copy.deepcopy(self._measured)

    @pytest.fixture(name="clean")
    def give_clean(self) -> Any:
        return copy.deepcopy(self._clean)

    @pytest.hookimpl
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Collects the loaded module, in the place of files that would be named in arguments: pytest takes
        a `[` or a `::` in one for the name of a test."""
        node: pytest.Module = pytest.Module.from_parent(session, path=Path(__file__))
        node.obj = self._module
        session.items = list(session.genitems(node))
        session.testscollected = len(session.items)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Notes how a test ended, in the place of pytest, which would read the check's source to tell why."""
        outcome: Literal["passed", "failed"] = "passed"
        if call.excinfo is not None:
            outcome = "failed"
            self._note_problem(call.when, call.excinfo.value)
        elif call.when == "call":
            self.passed += 1
        assert call.when != "collect"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def _note_problem(self, when: str, error: BaseException) -> None:
        if when == "call" and isinstance(error, (AssertionError, pytest.fail.Exception)):
            self.problems.append(CheckResult("failed", str(error)))
        else:
            self.problems.append(CheckResult("error", f"{type(error).__name__}: {error}"))

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(CheckResult("error", str(report.longrepr)))
