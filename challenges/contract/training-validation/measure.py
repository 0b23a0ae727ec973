"""When a pretraining measures bits per byte, on which rows, and what it finds."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Runs with several periods and numbers of validation tokens."""
    cases = {
        "every second of five": {"num_iterations": 5, "eval_every": 2, "eval_tokens": 24},
        "never": {"eval_every": 0, "num_iterations": 2},
        "after the last only": {"eval_every": 9, "num_iterations": 2, "eval_tokens": 1},
        "two stripes": {"eval_every": 2, "num_iterations": 2, "stripes": 2, "eval_tokens": 23},
    }
    return {name: _run(inputs["seed"], **case) for name, case in cases.items()}


def _run(seed, **settings):
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, records_of, watched

    source = RowSource(seed)
    settings = {"total_batch_size": 8 * (settings.get("stripes") or 1), **settings}
    one_micro_batch = {"device_batch_size": 2 * (settings.get("stripes") is None) or 1}
    if "stripes" in settings:
        settings["total_batch_size"] = 4 * settings["stripes"]
    with watched(source) as watch:
        result = pretrain(seed, base_settings(**{**one_micro_batch, **settings}))
    return {
        "reported": records_of(result, "step", "val_bpb"),
        "rows": [row for rows in watch.rows(learning=False) for row in rows],
        "passes for learning": sum(one["for learning"] for one in watch.forwards),
        "learns in training mode": all(one["mode"] for one in watch.forwards if one["for learning"]),
        "asked of the data": sorted(map(list, source.asked)),
    }
