"""What a fine-tuning sets its optimizers to, at every step, from the start and resumed."""


def draw(rng):
    """Rates to set up with, and a seed for weights and rows."""
    rates = [round(rng.uniform(0.001, 0.2), 5) for _ in range(4)]
    return {"rates": rates, "seed": rng.randrange(1 << 30)}


def measure(inputs):
    """A run with rates and shares of its own, its second half, and one with the defaults of all of these."""
    from pathlib import Path
    from tempfile import mkdtemp

    run_dir = Path(mkdtemp())
    names = ("unembedding_lr", "embedding_lr", "matrix_lr", "weight_decay")
    rates = dict(zip(names, inputs["rates"], strict=True))
    shares = {"warmup_ratio": 0.25, "warmdown_ratio": 0.375, "final_lr_frac": 0.125}
    return {
        "run": _run(inputs["seed"], run_dir, 0, **rates, **shares),
        "resumed": _run(inputs["seed"], run_dir, 3, **rates, **shares),
        "by default": _run(inputs["seed"], None, 0),
    }


def _run(seed, run_dir, start_step, **changes):
    from dataclasses import replace

    from scripts.chat_sft import Settings

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import fine_tune, records_of, watched

    # of five steps by default, of which three are the warm-down
    settings = Settings(num_iterations=5, device_batch_size=1, total_batch_size=1, eval_every=0)
    if changes:
        settings = replace(settings, num_iterations=8, save_every=3, keep=9, **changes)
    with watched(RowSource(seed)) as watch:
        result = fine_tune(seed, settings, device=None, run_dir=run_dir, start_step=start_step)
    return {
        "rates of the groups": watch.schedule("rates"),
        "momentum": watch.schedule("momentum"),
        "reported": records_of(result, "step", "lr_multiplier"),
        "set up with": watch.rates,
    }
