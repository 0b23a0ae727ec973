"""Without <|bos|> a model never learns how a text begins."""

from bughunt.author.cost.figures import figure, losses
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained()
    opening = runs.ask(bases, "opening_bits", tokens=16, documents=512)
    return runs.cost(
        [
            figure("bits per byte, first 16 tokens of held-out documents", opening),
            figure("bits per byte, all of the held-out text", runs.bits_per_byte(bases)),
        ],
        losses(bases),
    )
