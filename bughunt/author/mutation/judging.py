"""Judging one mutant, in whichever thread, process or machine it is asked for: by a workbench of its own."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bughunt.author.mutation.bench import CLAUSES, QUESTIONS, TREE
from bughunt.author.mutation.plan import Plan
from bughunt.disk.files import remove_folder
from bughunt.disk.places import make_temporary_folder
from bughunt.errors import BughuntError
from bughunt.measure.environment import child_command, child_environment
from bughunt.search_path import trusted_search_path

# A clause may take so many times as long as on the clean tree, or so many seconds, whichever is more.
TIMES_AS_LONG, LEAST_SECONDS = 5.0, 3.0


@dataclass(frozen=True)
class Job:
    """A mutant to be judged: the text of its file, and the clauses to ask in this order."""

    mutant: str
    file: str
    source: str
    clauses: Sequence[str]
    to_the_end: bool = False


class Workbench:
    """A process that has loaded what a plan needs, and judges mutants one after the other."""

    def __init__(self, plan: Plan) -> None:
        self.place = plan.place
        self._version = ""
        self._folder = make_temporary_folder()
        for name, content in plan.tree.items():
            path = self._folder / TREE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (self._folder / "preload.json").write_text(json.dumps(sorted(plan.preload)), encoding="utf-8")
        self._process = subprocess.Popen(
            child_command("bughunt.author.mutation.bench", trusted_search_path()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(str(self._folder)),
            cwd=self._folder,
            start_new_session=True,
            encoding="utf-8",
        )

    def ask(self, plan: Plan, request: dict[str, Any]) -> dict[str, Any]:
        """Raises EOFError when the process is no more."""
        if plan.version != self._version:
            self._teach(plan)
            self._version = plan.version
        return self._ask(request)

    def _teach(self, plan: Plan) -> None:
        asked = {}
        for one in plan.questions.values():
            path = self._folder / CLAUSES / one.slug / "measure.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(one.measure, encoding="utf-8")
            asked[one.slug] = {
                "inputs": one.inputs,
                "tolerance": one.tolerance,
                "clean": one.clean,
                "limit": max(LEAST_SECONDS, TIMES_AS_LONG * one.seconds),
            }
        (self._folder / QUESTIONS).write_text(json.dumps(asked), encoding="utf-8")
        self._ask({"read": True})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except (OSError, ValueError):
            answer = ""
        if not answer:
            raise EOFError
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        remove_folder(Path(self._folder))


def judge(plan: Plan, job: Job) -> dict[str, Any]:
    """What became of a mutant: its id as `mutant`, and what the workbench answers."""
    asked = {"file": job.file, "source": job.source, "clauses": list(job.clauses), "all": job.to_the_end}
    return {"mutant": job.mutant} | _ask(plan, asked)


def survey(plan: Plan, slug: str) -> dict[str, Any]:
    """What a clause measures on the clean tree. See `bench`."""
    return {"slug": slug} | _ask(plan, {"survey": slug})


def close_workbenches() -> None:
    """Ends those of all threads of this process: who waits for one is told that there is none."""
    with _changing:
        for bench in _open:
            bench.close()
        _open.clear()


_mine = threading.local()
_open: list[Workbench] = []
_changing = threading.Lock()


def _ask(plan: Plan, request: dict[str, Any]) -> dict[str, Any]:
    # A mutant may end what judges it, by using up the machine's memory; an accident hardly happens twice.
    for _ in range(2):
        bench = _bench(plan)
        with suppress(EOFError):
            return bench.ask(plan, request)
        with _changing:
            if bench not in _open:
                break
            _open.remove(bench)
        bench.close()
    raise BughuntError("A workbench has ended, and so has the next one.", "Look at the machine's memory.")


def _bench(plan: Plan) -> Workbench:
    """This thread's."""
    bench: Workbench | None = getattr(_mine, "bench", None)
    with _changing:
        known = bench in _open
    if bench is None or not known or bench.place != plan.place:
        bench = Workbench(plan)
        with _changing:
            if _mine.__dict__.get("bench") in _open:
                _open.remove(_mine.bench)
                _mine.bench.close()
            _open.append(bench)
        _mine.bench = bench
    return bench
