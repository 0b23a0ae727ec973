"""Measuring, seen from outside: a workspace and inputs go in, an outcome comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Literal, cast

from bughunt.disk.files import remove_folder
from bughunt.disk.places import make_temporary_folder
from bughunt.measure.client import Server
from bughunt.measure.connection import ServerGone
from bughunt.measure.fresh import run_fresh
from bughunt.measure.outcomes import Failure, Flag, Limits, Outcome, Stopped
from bughunt.measure.results import conclude
from bughunt.search_path import trusted_search_path

Mode = Literal["fork", "fresh"]


def default_mode() -> Mode:
    """Fork a warm server where that is safe; start fresh processes on macOS and Windows."""
    chosen = os.environ.get("BUGHUNT_JUDGE")
    if chosen in ("fork", "fresh"):
        return cast(Mode, chosen)
    return "fork" if sys.platform == "linux" else "fresh"


def workers_here() -> int:
    """Two where two processors can work at the same time."""
    return min(2, os.cpu_count() or 1)


class Measurer:
    """Measures workspaces, as many at a time as it has workers, each asked from a thread of its own.

    A context manager: what it started is gone when it closes.
    """

    def __init__(self, mode: Mode | None = None, *, sandbox: bool = False, workers: int = 1) -> None:
        self.mode = mode or default_mode()
        self.workers = 1 if sys.platform == "win32" else workers
        self._sandbox = sandbox
        self._server: Server | None = None
        self._changing = Lock()
        self._scratch = make_temporary_folder()

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._server is not None:
            self._drop(self._server)
        remove_folder(self._scratch)

    def warm_up(self, preload: Iterable[str] = ()) -> None:
        """Starts the server, so that it imports while the caller does something else."""
        if sys.platform != "win32":
            self._started(preload)

    def measure(
        self,
        measure: Path,
        workspace: Path,
        inputs: Any,
        preload: Iterable[str],
        limits: Limits,
        stop: Flag | None = None,
        *,
        function: str = "measure",
    ) -> Outcome:
        """Runs `measure(inputs)`, or another `function`, of the file `measure` with `workspace` first on the
        module search path.

        Raises Stopped when another thread sets `stop` meanwhile (on Windows only after the measurement).
        """
        scratch = make_temporary_folder(self._scratch)
        request = {
            "mode": self.mode,
            "sandbox": self._sandbox,
            "measure": str(measure),
            "function": function,
            "workspace": str(workspace.resolve()),
            "inputs": inputs,
            "preload": list(preload),
            "limits": asdict(limits),
            "scratch": str(scratch),
        }
        try:
            if sys.platform == "win32":
                outcome = conclude(run_fresh(request, trusted_search_path()), limits)
            else:
                outcome = self._ask_server(request, limits, stop)
            if stop is not None and stop.is_set():
                raise Stopped
            return outcome
        finally:
            remove_folder(scratch)

    def _ask_server(self, request: dict[str, Any], limits: Limits, stop: Flag | None) -> Outcome:
        # Only the code under measurement runs beside the server, so it is what ended it, most likely; an
        # accident would hardly happen twice.
        for _ in range(2):
            server = self._started(request["preload"])
            try:
                return server.ask(request, limits, stop)
            except ServerGone as gone:
                started, printed = gone.started, server.printed()
                self._drop(server)
        if started:
            return Failure("The code ended, or stopped, the process that supervises its measurement.")
        return Failure("The measuring process could not be started.", printed, ours=True)

    def _started(self, preload: Iterable[str]) -> Server:
        with self._changing:
            if self._server is None:
                preload = preload if self.mode == "fork" else ()
                self._server = Server(str(self._scratch), preload, self.workers)
            return self._server

    def _drop(self, server: Server) -> None:
        with self._changing:
            if self._server is server:
                self._server = None
                server.close()
