"""A calculator that is called as before, and whose answers are not understood."""

from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    return runs.cost(runs.answers(runs.finished(), ("arithmetic", "arithmetic, new phrasings")))
