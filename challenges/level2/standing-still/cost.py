"""Nothing is learnt while the learning rate warms up, here for a quarter of the steps."""

from bughunt.author.cost.figures import both, figure, last, losses, metrics
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained("--warmup-ratio 0.25")
    records = both(metrics, bases)
    steps = len(records[0])
    warm_up = steps // 4
    after = both(lambda run: float(run[warm_up - 1]["loss"]), records)
    return runs.cost(
        [
            figure(f"training loss after {warm_up} of {steps} steps", after, symptom=True),
            figure(
                "bits per byte of held-out text, at the end", both(last("val_bpb"), records), symptom=True
            ),
        ],
        losses(bases),
    )
