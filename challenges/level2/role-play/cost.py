"""A loss that falls as well as any, and no answers."""

from functools import partial

from bughunt.author.cost.figures import both, figure, losses, metrics, tail_loss
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.tuned()
    loss = both(tail_loss, both(partial(metrics, name="sft"), bases))
    return runs.cost(
        [*runs.answers(bases), figure("fine-tuning loss, mean of the last 20 steps", loss)],
        losses(bases, "sft"),
    )
