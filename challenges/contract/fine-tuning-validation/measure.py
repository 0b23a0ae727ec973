"""When a fine-tuning measures its validation loss, on which conversations, and what it finds."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Runs with several periods and numbers of conversations."""
    cases = {
        "every second of three": {"num_iterations": 3, "eval_every": 2, "eval_conversations": 7},
        "never": {"num_iterations": 1},
        "after the last only": {"eval_every": 9, "eval_conversations": 1},
        "two stripes": {"stripes": 2, "device_batch_size": 1, "total_batch_size": 2, "eval_every": 2},
    }
    return {name: _run(inputs["seed"], **case) for name, case in cases.items()}


def _run(seed, **settings):
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import fine_tune, records_of, tuning_settings, watched

    source = RowSource(seed)
    settings = {"num_iterations": 2, "total_batch_size": 2, **settings}
    with watched(source) as watch:
        result = fine_tune(seed, tuning_settings(**settings))
    return {
        "reported": records_of(result, "step", "val_loss"),
        "rows": watch.rows(learning=False),
        "passes for learning": sum(one["for learning"] for one in watch.forwards),
        "asked of the data": sorted(map(list, source.asked)),
        "optimizer steps": len(watch.steps),
    }
