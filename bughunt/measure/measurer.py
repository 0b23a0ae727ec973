"""Measuring, seen from outside: a workspace and inputs go in, an outcome comes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Literal, cast

from bughunt.confine import hold
from bughunt.disk.files import remove_folder
from bughunt.disk.places import make_temporary_folder
from bughunt.measure.client import Server, Start
from bughunt.measure.connection import ServerGone
from bughunt.measure.fresh import run_fresh
from bughunt.measure.kit import Kit
from bughunt.measure.outcomes import Failure, Flag, Limits, Outcome, Stopped
from bughunt.measure.results import conclude_parts, refusal_explained
from bughunt.measure.sandbox import WAYS, Way
from bughunt.measure.visible import view_of
from bughunt.search_path import trusted_search_path

Mode = Literal["fork", "fresh"]
# "default": what any Linux gives for nothing; the ways of `sandbox`: what `lacking` says nothing against.
Confinement = Literal["none", "default"] | Way

# In a sandbox: those of the workspace, of a copy of it, and of the clean tree. Each takes much memory.
_SERVERS = 3


def default_mode() -> Mode:
    """Fork a warm server where that is safe; start fresh processes on macOS and Windows."""
    chosen = os.environ.get("BUGHUNT_JUDGE")
    if chosen in ("fork", "fresh"):
        return cast(Mode, chosen)
    return "fork" if sys.platform == "linux" else "fresh"


def workers_here() -> int:
    """Two where two processors can work at the same time."""
    return min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Part:
    """A `function` of the file `measure`, to be called with `inputs`."""

    measure: Path
    inputs: Any
    function: str = "measure"


class Measurer:
    """Measures workspaces, as many at a time as it has workers, each asked from a thread of its own.

    The code that is measured reads nothing in the folders `hidden`, unless that is the workspace.
    A context manager: what it started is gone when it closes.
    """

    def __init__(
        self,
        mode: Mode | None = None,
        *,
        confinement: Confinement = "default",
        workers: int = 1,
        hidden: Sequence[Path] = (),
    ) -> None:
        self.mode = mode or default_mode()
        self.workers = 1 if sys.platform == "win32" else workers
        self._confinement = confinement
        self._hidden = [str(path.resolve()) for path in hidden]
        self._servers: dict[tuple[str, bool], Server] = {}
        self._changing = Lock()
        self._folder = make_temporary_folder()
        self._scratch = self._folder / "scratch"
        self._scratch.mkdir()
        self._kit = Kit(self._folder / "kit")
        self._search_path = [str(self._kit.folder), *filter(self._may_be_read, trusted_search_path())]

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for server in list(self._servers.values()):
            self._drop(server)
        remove_folder(self._folder)

    def warm_up(
        self, preload: Iterable[str] = (), workspace: Path | None = None, *, apart: bool = False
    ) -> None:
        """Starts the server (`apart`: see `measure`), which imports while the caller does something else.

        In a sandbox each workspace has a server of its own: there it takes a `workspace`.
        """
        if sys.platform != "win32" and (workspace or self._confinement not in WAYS):
            self._started(str(workspace.resolve()) if workspace else "", preload, apart)

    def take(self, measure: Path) -> None:
        """Reads the file `measure` as it is now: what becomes of it afterwards does not matter."""
        self._kit.take(measure)

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
        apart: bool = False,
    ) -> Outcome:
        """Runs `measure(inputs)`, or another `function`, of the file `measure` with `workspace` first on the
        module search path; `apart` from all measurements that are not, whose processes could find in their
        memory what the one before them left in that of the server.

        Raises Stopped when another thread sets `stop` meanwhile (on Windows only after the measurement).
        """
        part = Part(measure, inputs, function)
        return self.measure_parts([part], workspace, preload, limits, stop, apart=apart)[0]

    def measure_parts(
        self,
        parts: Sequence[Part],
        workspace: Path,
        preload: Iterable[str],
        limits: Limits,
        stop: Flag | None = None,
        *,
        apart: bool = False,
    ) -> list[Outcome]:
        """The same for several, in one process. The last outcome is that of the part which ended the process:
        then those behind it were not measured. None at all where the process left too much to be read."""
        scratch = make_temporary_folder(self._scratch)
        place = str(workspace.resolve())
        request = {
            "mode": self.mode,
            "parts": [
                {"measure": str(self._kit.take(one.measure)), "function": one.function, "inputs": one.inputs}
                for one in parts
            ],
            "workspace": place,
            "preload": list(preload),
            "limits": asdict(limits),
            "scratch": str(scratch),
            "holds": self._holds(place, str(scratch)),
            "hidden": self._hidden,
            "shown": self._shown(place),
        }
        try:
            if sys.platform == "win32":
                outcomes = conclude_parts(run_fresh(request, self._search_path), limits, len(parts))
            else:
                outcomes = self._ask_server(request, limits, stop, apart)
            if stop is not None and stop.is_set():
                raise Stopped
            return [self._refusal_explained(outcome, limits) for outcome in outcomes]
        finally:
            remove_folder(scratch)

    def _refusal_explained(self, outcome: Outcome, limits: Limits) -> Outcome:
        if self._confinement == "none" or hold.lacking():
            return outcome
        writes_to = "a temporary folder" + " and its workspace" * (self._confinement not in WAYS)
        return refusal_explained(outcome, writes_to, limits)

    def _may_be_read(self, place: str) -> bool:
        path = Path(place).resolve()
        if any(path.is_relative_to(python) for python in (sys.prefix, sys.base_prefix)):
            return True
        return not any(path.is_relative_to(hidden) for hidden in self._hidden)

    def _shown(self, workspace: str) -> list[str]:
        """What may be read although it lies in a hidden folder, unless that lies in it."""
        places = [workspace, str(self._folder), sys.prefix, sys.base_prefix]
        return [
            place for place in places if not any(Path(path).is_relative_to(place) for path in self._hidden)
        ]

    def _holds(self, workspace: str, scratch: str) -> dict[str, Any] | None:
        """What holds the measuring process: arguments of `hold`."""
        if self._confinement == "none":
            return None
        if self._confinement != "default":
            return {"writable": [scratch], "kept": [], "hidden": [], "shown": [], "has_own_view": True}
        ours = any(Path(workspace).is_relative_to(path) for path in self._hidden)
        return {
            "writable": [scratch] if ours else [scratch, workspace],
            # Its settings name programs, which git runs for the player.
            "kept": [str(folder) for folder in (Path(workspace, ".git"),) if folder.is_dir()],
            "hidden": self._hidden,
            "shown": self._shown(workspace),
            "has_own_view": False,
        }

    def _ask_server(
        self, request: dict[str, Any], limits: Limits, stop: Flag | None, apart: bool
    ) -> list[Outcome]:
        # Only the code under measurement runs beside the server, so it is what ended it, most likely; an
        # accident would hardly happen twice.
        for _ in range(2):
            server = self._started(request["workspace"], request["preload"], apart)
            try:
                return server.ask(request, limits, stop)
            except ServerGone as gone:
                started, printed = gone.started, server.printed()
                self._drop(server)
        if started:
            return [Failure("The code ended, or stopped, the process that supervises its measurement.")]
        return [Failure("The measuring process could not be started.", printed, ours=True)]

    def _started(self, workspace: str, preload: Iterable[str], apart: bool) -> Server:
        # In a sandbox nothing but the one workspace is to be seen, so each has a server of its own.
        key = (workspace if self._confinement in WAYS else "", apart)
        with self._changing:
            server = self._servers.pop(key, None) or Server(self._start(workspace, preload))
            # The last one is that used last.
            self._servers[key] = server
            while len(self._servers) > _SERVERS:
                self._servers.pop(next(iter(self._servers))).close()
            return server

    def _start(self, workspace: str, preload: Iterable[str]) -> Start:
        plain = Start(
            folder=str(self._folder),
            scratch=str(self._scratch),
            search_path=self._search_path,
            workers=self.workers,
            preload=list(preload) if self.mode == "fork" else [],
        )
        if self._confinement == "none" or self._confinement == "default":
            return plain
        kit = str(self._kit.folder)
        view = view_of(workspace, plain.scratch, kit, self._search_path[1:], self._hidden)
        return replace(plain, way=self._confinement, view=view)

    def _drop(self, server: Server) -> None:
        with self._changing:
            for key in [key for key, other in self._servers.items() if other is server]:
                self._servers.pop(key).close()
