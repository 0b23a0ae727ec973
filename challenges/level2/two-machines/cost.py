"""The gradient grows with the number of micro-batches; the optimizers hide it."""

import statistics

from bughunt.author.cost.figures import both, figure, last, metrics, plot
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained("--device-batch-size 2")
    records = both(metrics, bases)
    norms = both(lambda run: statistics.median(record["grad_norm"] for record in run), records)
    clipped = both(lambda run: statistics.fmean(record["clipped"] for record in run), records)
    return runs.cost(
        [
            figure("gradient norm before clipping, median", norms),
            figure("steps in which clipping bites", clipped, ".0%"),
            figure("bits per byte of held-out text", both(last("val_bpb"), records), ",.3f"),
        ],
        plot(bases, "grad_norm", "Gradient norm before clipping, 8 micro-batches", "norm", log_y=True),
    )
