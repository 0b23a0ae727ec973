"""Somebody who plays, in a process of his own and as whichever user: `runner` is what he runs."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from other_users import as_user

RUNNER = Path(__file__).with_name("runner.py")
_PATIENCE_SECONDS = 240


class Player:
    """Judges hostile programs in one column of the tables. A context manager."""

    def __init__(self, column: str, user: int | None = None) -> None:
        self._column = column
        self._user = user
        self._process: subprocess.Popen[str] | None = None
        self._folder = Path()

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self.start_anew()

    def judge(self, case: str, mode: str) -> dict[str, Any]:
        """What came of the program: see `runner`. A runner that it may have changed is not used again."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({"case": case, "mode": mode}) + "\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], _PATIENCE_SECONDS)[0]:
            self.start_anew()
            raise AssertionError(f"{case}: no verdict came")
        line = process.stdout.readline()
        if not line:
            self.start_anew()
            raise AssertionError(f"{case}: the judge's process ended")
        answer: dict[str, Any] = json.loads(line)
        if answer["verdict"] == "fixed" or {"the installed game", "the judge's tools"} & {*answer["reached"]}:
            self.start_anew()
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._folder = Path(tempfile.mkdtemp(prefix="hostile-"))
            (self._folder / "tmp").mkdir()
            if self._user is not None:
                for path in (self._folder, self._folder / "tmp"):
                    os.chown(path, self._user, self._user)
            settings = ("GIT_", "BUGHUNT_", "PYTEST_", "PYTHON")
            environment = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
            self._process = subprocess.Popen(
                [*as_user(self._user), sys.executable, "-B", RUNNER, self._folder, self._column],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self._folder,
                env={**environment, "HOME": str(self._folder), "TMPDIR": str(self._folder / "tmp")},
                start_new_session=True,
            )
        return self._process

    def start_anew(self) -> None:
        """Has the next program judged by a new process."""
        if self._process is None:
            return
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)
