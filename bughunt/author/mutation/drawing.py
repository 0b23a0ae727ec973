"""Drawing the questions: each clause's inputs, by one seed."""

from __future__ import annotations

import ast
import json
import traceback
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import bughunt
from bughunt.author.mutation.plan import Question
from bughunt.content.clauses import Clause
from bughunt.loading import load_module

_HELPERS = "bughunt.lab.measuring"


def draw_questions(clauses: Iterable[Clause], seed: int) -> tuple[list[Question], set[str], dict[str, str]]:
    """The questions; the modules to load for them; and of the clauses that cannot be asked, what is wrong."""
    questions, preload, faulty = [], set[str](), {}
    for clause in clauses:
        try:
            preload |= set(clause.card.preload)
            questions.append(_draw(clause, seed))
        except Exception as error:
            faulty[clause.slug] = traceback.format_exception_only(error)[-1].strip()
    return questions, preload, faulty


def _draw(clause: Clause, seed: int) -> Question:
    text = clause.measure.read_text(encoding="utf-8")
    module = load_module(str(clause.measure), f"bughunt_clause_{clause.slug.replace('-', '_')}")
    inputs = json.loads(json.dumps(module.draw(Random(f"{clause.slug}/{seed}"))))
    tolerance = clause.card.tolerance
    asked = json.dumps([text, inputs, tolerance, *_helpers(text)], sort_keys=True)
    return Question(clause.slug, text, inputs, tolerance, sha256(asked.encode()).hexdigest()[:16])


def _helpers(text: str) -> list[str]:
    """The texts of all modules of the lab that the measurement uses, directly or not."""
    found: dict[str, str] = {}
    pending = [text]
    folder = Path(bughunt.__file__).parent.joinpath(*_HELPERS.split(".")[1:])
    while pending:
        for name in _lab_modules(pending.pop()):
            path = folder / f"{name}.py"
            if name not in found and path.is_file():
                found[name] = path.read_text(encoding="utf-8")
                pending.append(found[name])
    return [found[name] for name in sorted(found)]


def _lab_modules(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == _HELPERS:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{_HELPERS}."):
            yield str(node.module).split(".")[3]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[3] for a in node.names if a.name.startswith(f"{_HELPERS}."))
