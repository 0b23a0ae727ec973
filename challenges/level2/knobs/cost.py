"""A loss that falls, and ends too high."""

from bughunt.author.cost.figures import both, figure, last, losses, metrics, tail_loss
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained()
    records = both(metrics, bases)
    return runs.cost(
        [
            figure("training loss, mean of the last 20 steps", both(tail_loss, records), symptom=True),
            figure("bits per byte of held-out text", both(last("val_bpb"), records), symptom=True),
        ],
        losses(bases),
    )
