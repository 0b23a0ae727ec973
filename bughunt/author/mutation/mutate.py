"""Making mutants, having the contract judge them, and telling what came of it: `bughunt dev mutate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bughunt.author.mutation.crew import Crew, carried_out, crew_for
from bughunt.author.mutation.drawing import draw_questions
from bughunt.author.mutation.equivalent import read_equivalents
from bughunt.author.mutation.judging import Job, judge
from bughunt.author.mutation.making import files_with_mutants, mutants_of_tree
from bughunt.author.mutation.mutant import Mutant
from bughunt.author.mutation.ordering import Order
from bughunt.author.mutation.places import chosen, files_of, sampled
from bughunt.author.mutation.plan import Plan, read_tree, tree_digest
from bughunt.author.mutation.report import Judged, Report
from bughunt.author.mutation.state import State
from bughunt.author.mutation.surveying import Bar, survey_clauses
from bughunt.content.clauses import load_clauses


def mutate(order: Order, bar: Bar) -> Report:
    """Judges the mutants that were not judged before. Ctrl-C ends that, and what there is is reported.

    Raises BughuntError.
    """
    files = files_of(order.places, files_with_mutants(order.tree))
    mutants = mutants_of_tree(order.tree, files)
    equivalents = read_equivalents(
        order.contract, [one for found in mutants.values() for one in found], files
    )
    wanted = sampled(chosen(order.places, mutants), order.sample, order.seed)
    questions, preload, unusable = draw_questions(load_clauses(order.contract), order.seed)
    plan = Plan(read_tree(order.tree), {one.slug: one for one in questions}, tuple(sorted(preload)))
    state = State(order.state, tree_digest(plan.tree), {one.slug: one.digest for one in questions})
    interrupted = False
    try:
        with crew_for(order.workers, order.scheduler) as crew:
            plan, unfit = survey_clauses(plan, state, crew, bar)
            unusable |= unfit
            _judge_all(wanted, plan, state, crew, bar, order)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        state.close()
    judged = [found for one in wanted if (found := _judged(one, plan, state, equivalents)) is not None]
    return Report(
        judged, len(wanted) - len(judged), tuple(order.bug_files), unusable, interrupted=interrupted
    )


def _judge_all(
    mutants: Sequence[Mutant], plan: Plan, state: State, crew: Crew, bar: Bar, order: Order
) -> None:
    jobs: list[Callable[[], Job]] = []
    for mutant in mutants:
        clauses = plan.clauses_for(mutant.file, mutant.function)
        left = state.left_to_ask(mutant.id, clauses, to_the_end=order.to_the_end)
        if left is not None:
            jobs.append(partial(_job, mutant, plan, left, order.to_the_end))
    bar.begin("Mutants", len(jobs))
    for answer in carried_out(crew, plan, judge, jobs):
        state.add_finding(answer["mutant"], answer)
        bar.done(answer["outcome"])


def _job(mutant: Mutant, plan: Plan, clauses: Sequence[str], to_the_end: bool) -> Job:
    source = mutant.edit.of(plan.tree[mutant.file]).decode()
    return Job(mutant.id, mutant.file, source, clauses, to_the_end)


def _judged(mutant: Mutant, plan: Plan, state: State, equivalents: Mapping[str, str]) -> Judged | None:
    finding = state.finding(mutant.id)
    if finding is None:
        return None
    reason = equivalents.get(mutant.id, "")
    return Judged(
        mutant,
        "equivalent" if reason and finding.outcome == "survived" else finding.outcome,
        mutant.diff(plan.tree[mutant.file]),
        finding.killers,
        bool(plan.clauses_for(mutant.file, mutant.function)),
        reason,
    )
