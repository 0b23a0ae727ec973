"""Trains on the same rows in several splits and notes the gradients that reach the optimizers."""

from bughunt.lab.measuring import tiny_run, tiny_tuning
from bughunt.lab.measuring.weights import draw_weights, length

WIDTH = 4


def draw(rng):
    """Two models, the rows of one or two optimizer steps for each, and runs: a split, and where to clip.

    The first model has rows of one token, so that its gradient can be known to the last weight. One of its
    runs is clipped to a share of the gradient's own norm (`clip_share`), another at a norm a little above it;
    None is no clipping. One run is that of the first of several processes, and one reads its rows from
    several stripes.
    """
    one_token = _draw_case(rng, steps=2, rows=rng.choice([12, 20]), T=1, layers=rng.choice([1, 2]))
    longer = _draw_case(rng, steps=1, rows=rng.choice([6, 12]), T=rng.randint(2, 4), layers=1)
    runs = []
    for index, case in enumerate((one_token, longer)):
        rows = len(case["inputs"][0]) // case["T"]
        least = 2 + index
        others = [k for k in range(2, rows + 1) if rows % k == 0 and k != least]
        several = sorted([least, rng.choice(others)])
        runs += [{"case": index, "micro_batches": k, "clip_share": None} for k in (1, *several)]
    splits = [k for k in (2, 3, 4, 5, 6) if len(one_token["inputs"][0]) % k == 0]
    for share in (rng.uniform(0.2, 0.8), rng.uniform(1.1, 1.5)):
        runs.append({"case": 0, "micro_batches": rng.choice(splits), "clip_share": share})
    runs.append(
        {"case": 0, "micro_batches": rng.choice(splits), "clip_share": None, "processes": rng.choice([2, 3])}
    )
    even = [k for k in splits if k % 2 == 0]
    runs.append({"case": 0, "micro_batches": rng.choice(even), "clip_share": None, "stripes": 2})
    return {"cases": [one_token, longer], "runs": runs}


def _draw_case(rng, *, steps, rows, T, layers):
    vocabulary = rng.randint(8, 12)
    inputs, targets = (
        [[rng.randrange(vocabulary) for _ in range(rows * T)] for _ in range(steps)] for _ in "xy"
    )
    return {
        "weights": draw_weights(rng, layers, WIDTH, vocabulary, attention=T == 1),
        "layers": layers,
        "T": T,
        "inputs": inputs,
        "targets": targets,
    }


def measure(inputs):
    """For every run the reported losses, and for every step the gradients and values of all parameters.

    For the first two splits of the first model's rows also what `validate` tells, for the second the
    gradient in fine-tuning, too. `grad_clip` is the norm that a run was clipped at, 0 for none: its share
    of the norm that the first run, of one micro-batch and without clipping, began with.
    """
    measured, norm = [], 0.0
    for number, run in enumerate(inputs["runs"]):
        case = {
            **inputs["cases"][run["case"]],
            "micro_batches": run["micro_batches"],
            "processes": run.get("processes", 1),
        }
        # The gradient does not depend on the learning rate, nor should its measurement.
        settings = {"grad_clip": norm * (run["clip_share"] or 0.0), "stripes": run.get("stripes")}
        found = tiny_run.train(case, schedule=False, **settings)
        found["grad_clip"] = settings["grad_clip"]
        # What is another bug's, and what only `validate` asks.
        del found["validation"]
        for step in found["steps"]:
            del step["rates"]
        if number == 0 and found["steps"]:
            norm = length(found["steps"][0]["gradients"])
        if number < 2:
            found["validated"] = tiny_run.validate(case)
        if number == 1:
            found["fine_tuned"] = tiny_tuning.fine_tune(case)
        measured.append(found)
    return measured
