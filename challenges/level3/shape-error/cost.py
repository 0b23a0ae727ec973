"""No run at all with fewer key/value heads."""

from bughunt.author.cost.figures import both, figure, metrics
from bughunt.author.cost.paired_runs import PairedRuns
from bughunt.content.cost_record import Cost


def cost(runs: PairedRuns) -> Cost:
    bases = runs.pretrained("--n-kv-head 2 --num-iterations 20", may_fail=True)
    steps = both(len, both(metrics, bases))
    return runs.cost([figure("steps made of 20, with 4 query heads and 2 key/value heads", steps, ",.0f")])
