"""A good model that answers as if it were a bad one."""

from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    return runs.cost(runs.answers(runs.finished()))
