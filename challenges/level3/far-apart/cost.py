"""The recipe is too small to feel it; the angles show it."""

from itertools import pairwise

from bughunt.author.cost.figures import both, figure, last, losses, metrics
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    length, edges = 1024, [0, 64, 256, 1024]
    bases = runs.pretrained(f"--sequence-len {length} --device-batch-size 2")
    turn = runs.ask(bases, "slowest_turn", own_tree=True)
    bits = runs.ask(bases, "bits_by_position", own_tree=True, length=length, rows=64, edges=edges)
    by_position = [
        figure(f"bits per token, positions {start} to {end - 1}", pair)
        for (start, end), *pair in zip(pairwise(edges), *bits, strict=True)
    ]
    total = both(last("val_bpb"), both(metrics, bases))
    return runs.cost(
        [
            figure("positions until the slowest channels repeat", turn, ",.0f"),
            *by_position,
            figure("bits per byte of held-out text", total),
        ],
        losses(bases),
    )
