"""Lets two processes fine-tune together, each with rows of its own, and looks what each holds and reports."""

from bughunt.lab.measuring.gangs import together


def draw(rng):
    """A seed for weights and rows, and the lengths of two batches of targets for either process."""
    return {"seed": rng.randrange(1 << 30), "lengths": [[rng.randint(2, 9), 3], [rng.randint(10, 19), 2]]}


def measure(inputs):
    """What either process says of itself; `None` where there can be no second one."""
    from scripts import chat_sft  # noqa: F401 - imported once for both

    return together(2, lambda rank: _work(rank, inputs))


def _work(rank, inputs):
    cases = {
        "clipped": {"total_batch_size": 8, "grad_clip": 0.25},
        "one by one": {"device_batch_size": 1},
        "four stripes": {"device_batch_size": 1, "stripes": 4},
        "validated": {"eval_every": 1, "eval_conversations": 9},
    }
    return {
        "runs": {name: _run(inputs["seed"], **settings) for name, settings in cases.items()},
        "targets": _count(inputs["lengths"][rank]),
        "ends at an error": _ends(),
    }


def _run(seed, **settings):
    """Two steps: what they read, what comes to the optimizers, what is reported."""
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import (
        fine_tune,
        left_on,
        records_of,
        tuning_settings,
        watched,
        weights_of,
    )

    source, seen = RowSource(seed), []
    with watched(source) as watch:
        result = fine_tune(seed, tuning_settings(num_iterations=2, **settings), on_step=seen.append)
    figures = ("step", "loss", "grad_norm", "clipped", "tokens", "trained_tokens", "val_loss")
    return {
        "gradients": watch.gradients(),
        "weights": weights_of(result.model),
        "reported": records_of(result, *figures),
        "rows": watch.rows(learning=True),
        "rows only measured": watch.rows(learning=False),
        "asked of the data": sorted(map(list, source.asked)),
        "left on the model": left_on(result.model),
        "all were shown": seen == result.records,
    }


def _count(lengths):
    """Targets of all processes together."""
    import torch
    from scripts.chat_sft import count_targets

    rows = [torch.tensor([[-1, *range(length)]]) for length in lengths]
    return float(count_targets([(torch.zeros_like(row), row) for row in rows]))


def _ends():
    """How the script ends that finds no base model, and whether the process has left its group."""
    import torch.distributed as dist
    from scripts import chat_sft

    from bughunt.lab.measuring.base_folder import base_folder
    from bughunt.lab.measuring.refusals import refusal

    with base_folder():
        ends = refusal(chat_sft.main, ["--device", "cpu"])
    return [ends, "in its group" if dist.is_initialized() else "has left its group"]
