"""Runs of the tree's scripts, without a bug and with one, each in a base folder of its own.

What a step leaves behind is kept in the workshop's folder, so that a measurement that was stopped goes on
where it was, and runs that several bugs compare with are made once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from bughunt.content.level import Bug
from bughunt.errors import BughuntError
from bughunt.workspace.injection import inject

_INSIDE = Path(__file__).with_name("inside.py")
_TAIL_CHARACTERS = 4000


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and the end of all that it printed."""

    code: int
    output: str


class Workshop:
    """The folder that the runs are made in. Several threads may use one."""

    def __init__(self, folder: Path, version: str, say: Callable[[str], object]) -> None:
        """Raises BughuntError if the folder holds runs of another version of tree and bugs."""
        folder.mkdir(parents=True, exist_ok=True)
        stamp = folder / "version.txt"
        if not stamp.exists():
            stamp.write_text(version, encoding="utf-8")
        if stamp.read_text(encoding="utf-8") != version:
            raise BughuntError(
                f"{folder} holds runs of another version of the tree.",
                "Delete it, or choose another folder with --work.",
            )
        self._folder = folder
        self._say = say
        self._locks: defaultdict[str, Lock] = defaultdict(Lock)
        self._locking = Lock()

    def tree(self, bug: Bug | None) -> Path:
        """The clean tree, or the one with just `bug` in it."""
        name = f"tree-{bug.id if bug else 'clean'}"
        with self._lock(name):
            target = self._folder / name
            if not target.exists():
                aside = self._folder / f"{name}.new"
                shutil.rmtree(aside, ignore_errors=True)
                inject(aside, [bug] if bug else [])
                aside.rename(target)
            return target

    def base(self, name: str, start_from: Path | None = None, parts: Sequence[str] = ()) -> Path:
        """The base folder of a run; into a new one `parts` (tokenizer, base, sft) of another are copied."""
        with self._lock(f"base {name}"):
            base = self._folder / "runs" / name
            if not base.exists():
                aside = base.with_name(f"{name}.new")
                shutil.rmtree(aside, ignore_errors=True)
                aside.mkdir(parents=True)
                for part in parts:
                    assert start_from is not None
                    shutil.copytree(start_from / part, aside / part)
                aside.rename(base)
            return base

    def speedrun(self) -> Path:
        """The base folder of the clean tree's speedrun, which has been made with all cores."""
        base = self.base("clean")
        self.script(None, base, "scripts.speedrun", one_thread=False)
        return base

    def script(
        self, bug: Bug | None, base: Path, command: str, *, may_fail: bool = False, one_thread: bool = True
    ) -> Ended:
        """Runs `command`, such as "scripts.base_train --depth 4", in a tree, once for each base folder.

        Raises BughuntError when it fails and may not.
        """
        with self._lock(f"{base} {command}"):
            done = base / f"{command.split()[0]}.done.json"
            if done.exists():
                record = json.loads(done.read_text(encoding="utf-8"))
                if record["command"] == command:
                    return Ended(record["code"], record["output"])
            self._say(f"{base.name}: python -m {command}")
            ended = self._run(self.tree(bug), base, ["-m", *command.split()], one_thread=one_thread)
            if ended.code and not may_fail:
                raise BughuntError(f"`python -m {command}` failed in {base}:\n{ended.output}")
            record = {"command": command, "code": ended.code, "output": ended.output}
            done.write_text(json.dumps(record, indent=1), encoding="utf-8")
            return ended

    def inside(self, bug: Bug | None, base: Path, question: str, **arguments: Any) -> Any:
        """What the function `question` of `inside.py` returns in a tree, with the models of a base folder."""
        self._say(f"{base.name}: {question}")
        ended = self._run(self.tree(bug), base, [str(_INSIDE), question, json.dumps(arguments)])
        if ended.code:
            raise BughuntError(f"{question} failed in {base}:\n{ended.output}")
        return json.loads(ended.output.splitlines()[-1])

    def _run(self, tree: Path, base: Path, arguments: Sequence[str], *, one_thread: bool = True) -> Ended:
        environment = {
            **os.environ,
            # Runs beside each other would take the cores from each other.
            **({"OMP_NUM_THREADS": "1"} if one_thread else {}),
            "NANOCHAT_BASE_DIR": str(base),
            "PYTHONPATH": str(tree),
            "PYTHONUTF8": "1",
            "NO_COLOR": "1",
        }
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        return Ended(ran.returncode, ran.stdout[-_TAIL_CHARACTERS:])

    def _lock(self, name: str) -> Lock:
        with self._locking:
            return self._locks[name]
