"""A loss of almost nothing, and a model that has learnt nothing."""

from bughunt.author.cost.figures import both, figure, last, losses, metrics
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained()
    records = both(metrics, bases)
    return runs.cost(
        [
            figure("bits per byte of held-out text, truly", runs.bits_per_byte(bases), symptom=True),
            figure("bits per byte of held-out text, as reported", both(last("val_bpb"), records), ",.4f"),
            figure("training loss at the end, as reported", both(last("loss"), records), ",.4f"),
        ],
        losses(bases, log_y=True),
    )
