"""The same training, with inputs of twice the size."""

from bughunt.author.cost.figures import figure
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained()
    size = runs.ask(bases, "input_bytes", own_tree=True, rows=8, length=256)
    return runs.cost(
        [
            figure("bytes of a batch's inputs, 8 rows of 256 tokens", size, ",.0f"),
            figure("bits per byte of held-out text", runs.bits_per_byte(bases)),
        ]
    )
