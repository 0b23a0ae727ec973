"""Trains on the same rows in several splits and notes the gradients that reach the optimizers."""

from contextlib import nullcontext

from bughunt.lab.measuring import tiny_run, tiny_tuning
from bughunt.lab.measuring.graphs import held_for_backward
from bughunt.lab.measuring.weights import draw_weights, length

WIDTH = 4
# A step of the default recipe: rows, their length, and the micro-batches that it takes them in.
ROWS, LENGTH, MICRO_BATCHES = 16, 256, 2


def draw(rng):
    """Two models, the rows of one or two optimizer steps for each, and runs: a split, and where to clip.

    The first model has rows of one token, so that its gradient can be known to the last weight. One of its
    runs is clipped to a share of the gradient's own norm (`clip_share`), another at a norm a little above it;
    None is no clipping. One run is that of the first of several processes, one reads its rows from several
    stripes, and one is kept in a folder (`kept`). A third model has rows as the default recipe has them. In
    them the same few `pairs` of an input and a target come again and again, all equally often, so that its
    gradient can be known as well.
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
    runs.append({"case": 0, "micro_batches": rng.choice(splits), "clip_share": None, "kept": True})
    runs += [{"case": 2, "micro_batches": k, "clip_share": None} for k in (1, MICRO_BATCHES, ROWS)]
    return {"cases": [one_token, longer, _draw_default(rng)], "runs": runs}


def _draw_default(rng):
    case = _draw_case(rng, steps=1, rows=ROWS, T=1, layers=1)
    pairs = list(zip(case["inputs"][0], case["targets"][0], strict=True))
    tokens = pairs * LENGTH
    rng.shuffle(tokens)
    silent = {name: [[0.0] * len(row) for row in rows] for name, rows in case["weights"].items()}
    return {
        **case,
        "weights": {
            name: silent[name] if name.endswith("attn.c_proj.weight") else rows
            for name, rows in case["weights"].items()
        },
        "T": LENGTH,
        "pairs": [case["inputs"][0], case["targets"][0]],
        "inputs": [[x for x, _ in tokens]],
        "targets": [[y for _, y in tokens]],
    }


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
    gradient in fine-tuning, too, and `afterwards`, that of the model by itself when the run is over. `held`,
    for the third model, is the most that was kept for backward passes at one time, in numbers. `grad_clip` is
    the norm that a run was clipped at, 0 for none: its share of the norm that the first run, of one
    micro-batch and without clipping, began with.
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
        model = tiny_run.build_model(case)
        with (
            tiny_run.kept_run() if "kept" in run else nullcontext() as place,
            held_for_backward(model) if "pairs" in case else nullcontext() as held,
        ):
            found = tiny_run.train(case, schedule=False, model=model, place=place, **settings)
        if held is not None:
            found["held"] = held.most
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
            found["afterwards"] = _by_itself(model, case)
        measured.append(found)
    return measured


def _by_itself(model, case):
    """The gradient of the mean loss over the first step's rows, and the values with which it is that."""
    import torch

    rows = [torch.tensor(case[name][0]).view(-1, case["T"]) for name in ("inputs", "targets")]
    model.zero_grad(set_to_none=True)
    model(*rows).backward()
    return {
        "values": {name: one.detach().tolist() for name, one in model.named_parameters()},
        "gradients": {
            name: None if one.grad is None else one.grad.tolist() for name, one in model.named_parameters()
        },
    }
