"""Measuring, seen from the judge: a workspace and inputs go in, an outcome comes out."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, cast

from bughunt.judge.environment import child_command, child_environment, trusted_search_path
from bughunt.judge.outcomes import Failure, Limits, Measurement, Outcome
from bughunt.judge.supervise import run_fresh

Mode = Literal["fork", "fresh"]

# Importing torch from a cold disk takes its time; this only bounds a server that hangs.
_PRELOAD_SECONDS = 180.0


def default_mode() -> Mode:
    """Fork a warm server where that is safe; start fresh processes on macOS and Windows."""
    chosen = os.environ.get("BUGHUNT_JUDGE")
    if chosen in ("fork", "fresh"):
        return cast(Mode, chosen)
    return "fork" if sys.platform == "linux" else "fresh"


class Measurer:
    """Measures workspaces. A context manager: what it started is gone when it closes."""

    def __init__(self, mode: Mode | None = None) -> None:
        self.mode = mode or default_mode()
        self._server: _Server | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="bughunt-", ignore_cleanup_errors=True)

    def __enter__(self) -> Measurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        self._scratch.cleanup()

    def warm_up(self) -> None:
        """Starts the server, so that it imports while the caller does something else."""
        if self.mode == "fork" and self._server is None:
            self._server = _Server(self._scratch.name)

    def measure(
        self, measure: Path, workspace: Path, inputs: Any, preload: Iterable[str], limits: Limits
    ) -> Outcome:
        """Runs `measure(inputs)` of the file `measure` with `workspace` first on the module search path."""
        with tempfile.TemporaryDirectory(dir=self._scratch.name, ignore_cleanup_errors=True) as scratch:
            request = {
                "measure": str(measure),
                "workspace": str(workspace.resolve()),
                "inputs": inputs,
                "preload": list(preload),
                "limits": asdict(limits),
                "scratch": scratch,
            }
            if self.mode == "fresh":
                return run_fresh(request, trusted_search_path())
            self.warm_up()
            assert self._server is not None
            outcome = self._server.ask(request, limits.seconds + _PRELOAD_SECONDS)
            if outcome is None:
                self._server.close()
                self._server = None
                # Only the code under measurement runs beside the server, so it is what ended it. A
                # process of its own shows what that code does when there is no server to end.
                return run_fresh(request, trusted_search_path())
            return outcome


class _Server:
    """The warm measuring server as a child process."""

    def __init__(self, scratch: str) -> None:
        self._process = subprocess.Popen(
            child_command("bughunt.judge.server", trusted_search_path()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(scratch),
            cwd=scratch,
            start_new_session=True,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)

    def ask(self, request: dict[str, Any], patience: float) -> Outcome | None:
        """The server's answer, or None when the server is no more (or hangs)."""
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
            if not select.select([self._answers], [], [], patience)[0]:
                return None
            answer = json.loads(self._answers.readline())
        except (OSError, ValueError):
            return None
        kind = answer.pop("kind")
        return Measurement(**answer) if kind == "Measurement" else Failure(**answer)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._answers):
            with suppress(OSError):
                stream.close()
