"""Memory that grows by far more than the conversation does, and stays."""

from bughunt.author.cost.figures import both, figure, pair_plot
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    found = runs.ask(runs.finished(), "cache_bytes", own_tree=True, tokens=8192, turn=64)
    held = both(lambda one: [(x, y / 1e6) for x, y in one["points"]], found)
    return runs.cost(
        [
            figure(f"megabytes held after {held[0][-1][0]:,} tokens", both(lambda one: one[-1][1], held)),
            figure("megabytes held after the conversation", both(lambda one: one["after"] / 1e6, found)),
        ],
        pair_plot(held, "Memory of the cache", "tokens", "megabytes"),
    )
