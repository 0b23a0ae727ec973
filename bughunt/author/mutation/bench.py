"""The workbench's process: clauses measured on changed trees, each in a fork of it.

It lies in a folder with the clean tree, the clauses and `questions.json`. It reads JSON lines from standard
input and answers each with one. `{"file", "source", "clauses", "all"}` judges a mutant: `outcome`, `killers`
(pairs of a clause and what it noticed) and `asked` come back. `{"survey": slug}` measures a clause on the
clean tree. `{"read": true}` reads the questions again.
"""

from __future__ import annotations

import compileall
import gc
import importlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bughunt.author.mutation.fork import Answer, Task, answers_in_fork
from bughunt.author.tracing import read_trace
from bughunt.confine.kernel import adopt_orphans, die_with_parent
from bughunt.disk.files import remove_folder
from bughunt.disk.places import make_temporary_folder
from bughunt.judge.comparing import first_difference

TREE, CLAUSES, QUESTIONS = "tree", "clauses", "questions.json"
# A clause on the clean tree may take so long while it is looked at.
_SURVEY_SECONDS = 60.0


def main() -> None:
    """Answers requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    adopt_orphans()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    bench = Bench(Path.cwd())
    compileall.compile_dir(bench.folder / TREE, quiet=2)
    for name in json.loads((bench.folder / "preload.json").read_text(encoding="utf-8")):
        with suppress(ImportError):
            importlib.import_module(name)
    # What is loaded stays: no collection in a fork has to look at it, and have its memory copied.
    gc.freeze()
    for line in sys.stdin:
        answers.write(json.dumps(bench.answer(json.loads(line))) + "\n")
        answers.flush()


class Bench:
    """Judges mutants of the tree in `folder` by the questions there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.questions: dict[str, Any] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "read" in request:
            self.questions = json.loads((self.folder / QUESTIONS).read_text(encoding="utf-8"))
            return {}
        if "survey" in request:
            return self._survey(request["survey"])
        return self._judge(request["file"], request["source"], request["clauses"], request["all"])

    def _judge(self, file: str, source: str, clauses: Sequence[str], to_the_end: bool) -> dict[str, Any]:
        killers: list[tuple[str, str]] = []
        asked: list[str] = []
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        with self._tree(file, source) as (tree, scratch):
            while True:
                # What was noticed may have left something behind: the next clauses have a new process.
                for answer in self._ask(tree, scratch, module, clauses[len(asked) :]):
                    if not answer.slug:
                        if answer.failed:
                            return {"outcome": "stillborn", "killers": [["", answer.failed]], "asked": asked}
                        continue
                    asked.append(answer.slug)
                    if noticed := self._noticed(answer):
                        killers.append((answer.slug, noticed))
                        break
                if len(asked) == len(clauses) or (killers and not to_the_end):
                    return {
                        "outcome": "killed" if killers else "survived",
                        "killers": killers,
                        "asked": asked,
                    }

    def _ask(self, tree: Path, scratch: Path, module: str, clauses: Sequence[str]) -> Iterator[Answer]:
        return answers_in_fork(
            Task(
                tree,
                scratch,
                module,
                [(slug, self._measure(slug)) for slug in clauses],
                {slug: self.questions[slug]["inputs"] for slug in clauses},
                {slug: self.questions[slug]["limit"] for slug in clauses},
            )
        )

    def _noticed(self, answer: Answer) -> str:
        """What a clause's answer shows of a mutant; "" for nothing."""
        question = self.questions[answer.slug]
        if answer.failed:
            return answer.failed
        return str(first_difference(question["clean"], answer.data, question["tolerance"]) or "")

    def _survey(self, slug: str) -> dict[str, Any]:
        """What a clause measures on the clean tree, twice, how long that takes, and what is at work."""
        found = []
        with self._tree(None, "") as (tree, scratch):
            trace = scratch / "trace.txt"
            for path in (trace, None):
                task = Task(
                    tree,
                    scratch,
                    "",
                    [(slug, self._measure(slug))],
                    {slug: self.questions[slug]["inputs"]},
                    {slug: _SURVEY_SECONDS},
                    path,
                )
                found += list(answers_in_fork(task))
            runs = read_trace(trace)
        failed = next((one.failed for one in found if one.failed), "")
        apart = first_difference(found[0].data, found[1].data, self.questions[slug]["tolerance"])
        if not failed and apart:
            failed = f"differs from itself on the clean tree: {apart}"
        return {"data": found[1].data, "seconds": found[1].seconds, "runs": runs, "failed": failed}

    def _measure(self, slug: str) -> Path:
        return self.folder / CLAUSES / slug / "measure.py"

    @contextmanager
    def _tree(self, file: str | None, source: str) -> Iterator[tuple[Path, Path]]:
        """A copy of the tree with one file changed, and the folder around it that may be written to."""
        scratch = make_temporary_folder(self.folder)
        try:
            tree = scratch / TREE
            # With its bytecode, which is known to fit by the time that a file was changed.
            shutil.copytree(self.folder / TREE, tree, copy_function=shutil.copy2)
            if file is not None:
                for stale in (tree / file).parent.glob(f"__pycache__/{Path(file).stem}.*"):
                    stale.unlink()
                (tree / file).write_text(source, encoding="utf-8", newline="")
            yield tree, scratch
        finally:
            remove_folder(scratch)
