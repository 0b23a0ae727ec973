"""Lets two processes pretrain together, each with rows of its own, and looks what each holds and reports."""

from bughunt.lab.measuring.gangs import together


def draw(rng):
    """A seed for weights and rows, and gradients of several shapes for either process."""

    def numbers():
        return [[round(rng.gauss(0, 1), 4) for _ in range(size)] for size in (6, 4, 1)]

    return {"seed": rng.randrange(1 << 30), "gradients": [numbers(), numbers()]}


def measure(inputs):
    """What either process says of itself; `None` where there can be no second one."""
    from scripts import base_train  # noqa: F401 - imported once for both

    return together(2, lambda rank: _work(rank, inputs))


def _work(rank, inputs):
    seed = inputs["seed"]
    whole = {
        "clipped": {"device_batch_size": 4, "total_batch_size": 32, "grad_clip": 0.25},
        "validated": {"eval_every": 1, "eval_tokens": 33, "total_batch_size": 16, "grad_clip": 0.0},
    }
    split = {"in two": {"total_batch_size": 32}, "four stripes": {"stripes": 4, "total_batch_size": 32}}
    return {
        "runs": {name: _run(seed, **settings) for name, settings in whole.items()},
        # how the gradients of several micro-batches add up is looked at elsewhere
        "split": {name: _run(seed, **settings)["reads"] for name, settings in split.items()},
        "splits": _splits(),
        "gradients and means": _averages(inputs["gradients"][rank]),
        "a run that is kept": _kept(rank, seed),
        "ends at an error": _ends(),
    }


def _run(seed, **settings):
    """Two steps: what they read, what comes to the optimizers, what is reported."""
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import (
        base_settings,
        left_on,
        pretrain,
        records_of,
        watched,
        weights_of,
    )

    source = RowSource(seed)
    with watched(source) as watch:
        result = pretrain(seed, base_settings(num_iterations=2, **settings))
    return {
        "gradients": watch.gradients(),
        "weights": weights_of(result.model),
        "reported": records_of(result, "step", "loss", "grad_norm", "clipped", "val_bpb"),
        "reads": {
            "rows": watch.rows(learning=True),
            "rows only measured": watch.rows(learning=False),
            "asked of the data": sorted(map(list, source.asked)),
            "tokens": records_of(result, "tokens"),
        },
        "learns in training mode": all(one["mode"] for one in watch.forwards if one["for learning"]),
        "left on the model": left_on(result.model),
        "optimizer steps": len(watch.steps),
    }


def _splits():
    """Stripes and micro-batches for totals; "refused" where it is the user's error."""
    from nanochat.common import UserError
    from nanochat.training import get_batch_split

    from bughunt.lab.measuring.watched_training import base_settings

    found = {}
    for stripes, total, row_length in (
        (None, 24, 3),
        (4, 24, 3),
        (4, 48, 2),
        (4, 12, 3),
        (3, 72, 3),
        (1, 72, 3),
    ):
        name = f"{total} in {stripes} stripes, rows of {row_length}"
        try:
            found[name] = list(get_batch_split(base_settings(stripes=stripes), total, row_length))
        except UserError:
            found[name] = "refused"
    return found


def _averages(gradients):
    """Norms returned and gradients left by clipping; and what averaging makes of tensors."""
    import torch
    from nanochat.training import average_over_ranks, clip_gradients

    found = {}
    for max_norm in (0.0, 0.125, 1, 100.0):
        given = [torch.nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (2, 2), ())]
        for parameter, numbers in zip(given, gradients, strict=True):
            if parameter.shape != (2, 2):  # this one has none
                parameter.grad = torch.tensor(numbers).view(parameter.shape)
        norm = clip_gradients(iter(given), max_norm)
        left = [None if one.grad is None else one.grad.tolist() for one in given]
        found[f"clipped to {max_norm}"] = [norm, type(norm).__name__, left]
    several = [torch.tensor(numbers) for numbers in gradients] + [torch.tensor(gradients[0][0])]
    average_over_ranks(several)
    return {**found, "averaged": [tensor.tolist() for tensor in several]}


def _kept(rank, seed):
    """Files that a process leaves whose disk is its own; and where it begins when the first has a run."""
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.training import begin_run, read_metrics

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    run_dir, other = Path(mkdtemp()), Path(mkdtemp())
    with watched(RowSource(seed)):
        settings = base_settings(num_iterations=2, save_every=1, total_batch_size=16)
        result = pretrain(seed, settings, run_dir=run_dir)
    begins = {"resumed": begin_run(run_dir, resume=True, overwrite=False)}
    begins["new"] = begin_run(other, resume=False, overwrite=False)
    files = sorted(path.name for path in run_dir.rglob("*"))
    begins["overwritten"] = begin_run(run_dir, resume=False, overwrite=True)
    return {
        "files": files,
        "records": len(result.records),
        "records on disk": len(read_metrics(run_dir)),
        "begins": begins,
    }


def _ends():
    """How the script ends whose batch does not divide, and whether the process has left its group."""
    import torch.distributed as dist
    from scripts import base_train

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.refusals import refusal

    with base_folder():
        ends = refusal(base_train.main, ["--device", "cpu", "--total-batch-size", "10"])
    return [ends, "in its group" if dist.is_initialized() else "has left its group"]
