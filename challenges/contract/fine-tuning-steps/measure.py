"""Gradients, losses, rows and reports of fine-tuning steps, however split and clipped."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Two steps in several splits; what the steps read, report and leave on the model."""
    cases = {
        "in two, unclipped": {"grad_clip": 0.0},
        "in one, clipped": {"device_batch_size": 4, "grad_clip": 0.05},
        "in four, by default": {"device_batch_size": 1},
        "two stripes": {"device_batch_size": 1, "stripes": 2, "grad_clip": 1000.0},
    }
    return {name: _run(inputs["seed"], **case) for name, case in cases.items()}


def _run(seed, **settings):
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import (
        fine_tune,
        left_on,
        records_of,
        tuning_settings,
        watched,
    )

    source, seen = RowSource(seed), []
    with watched(source) as watch:
        settings = tuning_settings(num_iterations=2, **settings)
        result = fine_tune(seed, settings, on_step=seen.append)
    return {
        "gradients": watch.gradients(),
        "reported": records_of(
            result, "step", "loss", "grad_norm", "clipped", "tokens", "trained_tokens", "lr_multiplier"
        ),
        "rows": watch.rows(learning=True),
        "rows only measured": watch.rows(learning=False),
        "learns in training mode": all(one["mode"] for one in watch.forwards),
        "passes in memory at once": watch.most_waiting,
        "asked of the data": sorted(map(list, source.asked)),
        "left on the model": left_on(result.model),
        "all were shown": seen == result.records,
        "losses": result.losses,
    }
