"""Running one bug's check with pytest, in this process, on data that was measured elsewhere."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from bughunt.judge.check_result import CheckResult
from bughunt.loading import load_module
from bughunt.search_path import trusted_search_path

# What a check has no use for: each would be imported, and asked at every step.
_UNWANTED = (
    *("cacheprovider", "terminal", "faulthandler", "unraisableexception", "threadexception", "debugging"),
    *("unittest", "doctest", "junitxml", "pastebin", "legacypath", "stepwise", "setuponly", "setupplan"),
    *("logging", "warnings"),
)


class Check:
    """The pytest file at `path`, whose tests take the fixtures `inputs` and `measured`; and `clean`, what the
    clean tree does with the same inputs, if they want it.

    It is loaded here, with all that it imports: what becomes of the file afterwards does not matter.
    """

    def __init__(self, path: Path) -> None:
        _rehearse()
        with _undisturbed():
            self._module = load_module(str(path), "bughunt_check")

    @property
    def wants_clean(self) -> bool:
        """Does a test take `clean`? It costs a measurement more."""
        tests = [test for name, test in vars(self._module).items() if name.startswith("test")]
        return any(
            "clean" in inspect.signature(test).parameters for test in tests if inspect.isfunction(test)
        )

    def run(self, inputs: Any, measured: Any, clean: Any = None) -> CheckResult:
        """What the check says of a measurement. Raises KeyboardInterrupt when that was interrupted."""
        import pytest

        from bughunt.judge.plugin import CheckPlugin

        plugin = CheckPlugin(self._module, inputs, measured, clean)
        with _undisturbed():
            status = pytest.main(_arguments(), plugins=[plugin])
        if status == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        # A check that stops at its first failure says the most basic thing that is wrong.
        for kind in ("error", "failed"):
            for problem in plugin.problems:
                if problem.kind == kind:
                    return problem
        if status != pytest.ExitCode.OK or plugin.passed == 0:
            return CheckResult("error", f"pytest ended with status {int(status)} after {plugin.passed} tests")
        return CheckResult("passed")


@cache
def _rehearse() -> None:
    """Has pytest do all that it does for checks, so that it imports nothing when it runs one in earnest."""
    with _undisturbed():
        module = importlib.import_module("bughunt.judge.rehearsal")
        plugin = importlib.import_module("bughunt.judge.plugin").CheckPlugin(module, None, None, None)
        pytest = importlib.import_module("pytest")
        if pytest.main(_arguments(), plugins=[plugin]) == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt


def _arguments() -> list[str]:
    """Names no path but one that pytest takes literally: it expands `$NAME` in --rootdir.

    The plugin collects, so no file is named; with nothing in its place pytest would look at the current
    folder. Settings come from nowhere: what is named as their file keeps pytest from looking for others.
    """
    return [
        os.devnull,
        f"--config-file={os.devnull}",
        "--noconftest",
        "--import-mode=importlib",
        "--assert=plain",
        "--capture=no",
        *(f"-pno:{name}" for name in _UNWANTED),
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
