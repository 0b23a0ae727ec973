"""The learning rate's schedule: as a function, and as it reaches the optimizers of a run, resumed or not."""

# Parts of the steps, in steps, that are whole or all but whole: a fraction of a step is left open.
PARTS = ((0, 0), (0, 7), (5, 0), (1, 1), (8, 12))


def draw(rng):
    """Numbers of steps with those of warm-up and warm-down, and the share that the rate falls to."""
    plans = [(20, *parts) for parts in PARTS]
    for steps in (100, rng.randint(30, 60)):
        warmup = rng.randint(2, steps // 2)
        plans.append((steps, warmup, rng.randint(2, steps - warmup)))
    plans.append((100, 29, 58))  # 0.29 * 100 is less than 29, and 0.58 * 100 less than 58
    final = [0.0, *(round(rng.uniform(0.05, 0.6), 3) for _ in plans[1:])]
    rates = [round(rng.uniform(0.001, 0.2), 5) for _ in range(4)]
    return {"plans": plans, "final": final, "rates": rates, "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """The multipliers of each plan and of the defaults; what reaches the groups of a run and of its second
    half, and the rates that the optimizers are set up with."""
    from pathlib import Path
    from tempfile import mkdtemp

    from scripts.base_train import get_lr_multiplier

    plans = {}
    for (steps, warmup, warmdown), final in zip(inputs["plans"], inputs["final"], strict=True):
        shares = {"warmup_ratio": warmup / steps, "warmdown_ratio": warmdown / steps, "final_lr_frac": final}
        plans[f"{warmup} up and {warmdown} down of {steps}"] = [
            get_lr_multiplier(it=step, num_iterations=steps, **shares) for step in range(steps + 1)
        ]
    defaults = [get_lr_multiplier(it=step, num_iterations=100) for step in range(101)]
    run_dir = Path(mkdtemp())
    names = ("unembedding_lr", "embedding_lr", "matrix_lr", "weight_decay")
    return {
        "multiplier": plans,
        "multiplier by default": defaults,
        "run": _run(inputs, run_dir, 0, **dict(zip(names, inputs["rates"], strict=True))),
        "resumed": _run(inputs, run_dir, 3, **dict(zip(names, inputs["rates"], strict=True))),
        "run with default rates": _run(inputs, None, 0),
    }


def _run(inputs, run_dir, start_step, **rates):
    """Two steps up, two down to a tenth, of eight."""
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, records_of, watched

    settings = base_settings(
        num_iterations=8,
        warmup_ratio=0.25,
        warmdown_ratio=0.5,
        final_lr_frac=0.1,
        save_every=3,
        keep=9,
        total_batch_size=8,
        **rates,
    )
    with watched(RowSource(inputs["seed"])) as watch:
        result = pretrain(inputs["seed"], settings, run_dir=run_dir, start_step=start_step)
    return {
        "rates of the groups": watch.schedule("rates"),
        "reported": records_of(result, "step", "lr_multiplier"),
        "set up with": watch.rates,
    }
