"""What the clauses measure on the clean tree, how long they take, and what is at work in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from bughunt.author.mutation.crew import Crew, carried_out
from bughunt.author.mutation.judging import Job, judge, survey
from bughunt.author.mutation.plan import Plan, Question
from bughunt.author.mutation.state import State

# As which the clean code is judged, too.
_CLEAN = "clean"


class Bar(Protocol):
    """Shows how far it is."""

    def begin(self, title: str, total: int) -> None: ...

    def done(self, outcome: str) -> None: ...


def survey_clauses(plan: Plan, state: State, crew: Crew, bar: Bar) -> tuple[Plan, dict[str, str]]:
    """The plan with what the clean tree answers; and the clauses that cannot be asked, each with why.

    Such a clause fails on the clean tree, or measures something else there alone than among the others.
    """
    unknown = [slug for slug in plan.questions if state.clause(slug) is None]
    bar.begin("Clauses on the clean tree", len(unknown))
    for answer in carried_out(crew, plan, survey, [partial(str, slug) for slug in unknown]):
        state.add_clause(answer["slug"], answer)
        bar.done("")
    known = {slug: state.clause(slug) or {} for slug in plan.questions}
    unusable = {slug: record["failed"] for slug, record in known.items() if record["failed"]}
    usable = [
        _answered(question, known[slug]) for slug, question in plan.questions.items() if slug not in unusable
    ]
    plan = plan.asking(usable)
    for slug, noticed in _noticed_of_clean(plan, state, crew).items():
        unusable[slug] = f"among other clauses, on the clean tree: {noticed}"
    return plan.asking(one for one in usable if one.slug not in unusable), unusable


def _answered(question: Question, record: Mapping[str, Any]) -> Question:
    runs = frozenset((file, name) for file, name in record["runs"])
    return replace(question, clean=record["data"], seconds=record["seconds"], runs=runs)


def _noticed_of_clean(plan: Plan, state: State, crew: Crew) -> Mapping[str, str]:
    """What the clauses notice of the clean code, in one process: nothing, if they are in order."""
    clauses = [one.slug for one in sorted(plan.questions.values(), key=lambda one: one.seconds)]
    left = state.left_to_ask(_CLEAN, clauses, to_the_end=True)
    if left:
        file = min((name for name in plan.tree if name.endswith(".py")), key=len)
        job = Job(_CLEAN, file, plan.tree[file].decode(), clauses, to_the_end=True)
        for answer in carried_out(crew, plan, judge, [lambda: job]):
            state.add_finding(_CLEAN, answer)
    finding = state.finding(_CLEAN)
    return {} if finding is None else finding.killers
