"""A process of the player's that has nothing to do with the game: was it ended, steered, or rewritten?"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ENDED, LIMITS, SHARE = (
    "another process",
    "another process's limits",
    "another process's share of the processor",
)
MEMORY, ENVIRONMENT = "another process's memory", "another process's environment, read"
TRACED = "another process, traced"

_PROGRAM = """
import ctypes, os, sys, time
os.chdir(sys.argv[1])
kept = ctypes.create_string_buffer(b"kept", 64)
held = os.open("/dev/null", os.O_RDONLY)
print(ctypes.addressof(kept), held, flush=True)
time.sleep(100_000)
"""


class Bystander:
    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._process: subprocess.Popen[bytes] | None = None
        self._address = self._descriptor = 0
        self._before: object = None

    def targets(self) -> dict[str, Any]:
        assert self._process is not None
        return {"pid": self._process.pid, "address": self._address, "descriptor": self._descriptor}

    def renew(self) -> None:
        """The same process, or a new one where something happened to the last."""
        if self._process is None or self.reached():
            self.close()
            environment = {**os.environ, "SECRET": self._secret}
            command = [sys.executable, "-S", "-E", "-c", _PROGRAM, "/"]
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, env=environment, start_new_session=True
            )
            assert self._process.stdout is not None
            self._address, self._descriptor = map(int, self._process.stdout.readline().split())
            self._before = self._steered()

    def reached(self) -> set[str]:
        assert self._process is not None
        pid = self._process.pid
        if self._process.poll() is not None:
            return {ENDED}
        found = set()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state in "Tt":
            found.add(ENDED)
        limits, share = self._steered()
        before = self._before
        assert isinstance(before, tuple)
        if limits != before[0]:
            found.add(LIMITS)
        if share != before[1]:
            found.add(SHARE)
        with Path(f"/proc/{pid}/mem").open("rb") as memory:
            memory.seek(self._address)
            if memory.read(4) != b"kept":
                found.add(MEMORY)
        return found

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _steered(self) -> tuple[object, object]:
        assert self._process is not None
        pid = self._process.pid
        limits = [resource.prlimit(pid, kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CPU)]
        oom = Path(f"/proc/{pid}/oom_score_adj").read_text()
        share = [
            os.getpriority(os.PRIO_PROCESS, pid),
            os.sched_getaffinity(pid),
            os.sched_getscheduler(pid),
            _io_priority(pid),
        ]
        return [*limits, oom], share


def _io_priority(pid: int) -> str:
    found = subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout
