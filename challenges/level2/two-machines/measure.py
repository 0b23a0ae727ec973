"""Trains on the same rows in several splits and notes the gradients that reach the optimizers."""

from bughunt.lab import position_wise, tiny_run

WIDTH = 4


def draw(rng):
    """Two models, the rows of one or two optimizer steps for each, and runs: a split, and a norm to clip at.

    The first model has rows of one token, so that its gradient is known to the judge to the last weight; one
    of its runs is clipped to less than the gradient's own norm, another at a norm a little above it. One is
    that of the first of several processes, and one reads its rows from several stripes.
    """
    one_token = _draw_case(rng, steps=2, rows=rng.choice([12, 20]), T=1, layers=rng.choice([1, 2]))
    longer = _draw_case(rng, steps=1, rows=rng.choice([6, 12]), T=rng.randint(2, 4), layers=1)
    _, gradients = position_wise.mean_loss_and_gradients(
        one_token["weights"], one_token["inputs"][0], one_token["targets"][0]
    )
    norm = position_wise.length(gradients)
    runs = []
    for index, case in enumerate((one_token, longer)):
        rows = len(case["inputs"][0]) // case["T"]
        least = 2 + index
        others = [k for k in range(2, rows + 1) if rows % k == 0 and k != least]
        several = sorted([least, rng.choice(others)])
        runs += [{"case": index, "micro_batches": k, "grad_clip": 0.0} for k in (1, *several)]
    splits = [k for k in (2, 3, 4, 5, 6) if len(one_token["inputs"][0]) % k == 0]
    for share in (rng.uniform(0.2, 0.8), rng.uniform(1.1, 1.5)):
        runs.append({"case": 0, "micro_batches": rng.choice(splits), "grad_clip": share * norm})
    runs.append(
        {"case": 0, "micro_batches": rng.choice(splits), "grad_clip": 0.0, "processes": rng.choice([2, 3])}
    )
    even = [k for k in splits if k % 2 == 0]
    runs.append({"case": 0, "micro_batches": rng.choice(even), "grad_clip": 0.0, "stripes": 2})
    return {"cases": [one_token, longer], "runs": runs}


def _draw_case(rng, *, steps, rows, T, layers):
    vocabulary = rng.randint(8, 12)
    inputs, targets = (
        [[rng.randrange(vocabulary) for _ in range(rows * T)] for _ in range(steps)] for _ in "xy"
    )
    return {
        "weights": position_wise.draw_weights(rng, layers, WIDTH, vocabulary, attention=T == 1),
        "layers": layers,
        "T": T,
        "inputs": inputs,
        "targets": targets,
    }


def measure(inputs):
    """For every run the reported losses, and for every step the gradients and values of all parameters.

    For the first two splits of the first model's rows also a validation loss, for the second the gradient
    in fine-tuning, too.
    """
    measured = []
    for number, run in enumerate(inputs["runs"]):
        case = {
            **inputs["cases"][run["case"]],
            "micro_batches": run["micro_batches"],
            "processes": run.get("processes", 1),
        }
        # The gradient does not depend on the learning rate, nor should its measurement.
        settings = {"grad_clip": run["grad_clip"], "stripes": run.get("stripes")}
        found = tiny_run.train(case, schedule=False, **settings)
        if number < 2:
            found["validated"] = tiny_run.validate(case)
        if number == 1:
            found["fine_tuned"] = tiny_run.fine_tune(case)
        measured.append(found)
    return measured
