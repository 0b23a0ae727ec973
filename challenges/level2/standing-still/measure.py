"""Asks the schedule for every step of many runs, and notes what reaches the optimizers in a real one."""

from bughunt.lab.measuring import tiny_run, tiny_tuning, weights
from bughunt.lab.measuring.attempts import describe_error

NAMES = ("warmup_ratio", "warmdown_ratio", "final_lr_frac")
DEFAULT_RUNS = (100, 600)


def draw(rng):
    """Runs with their ratios, and the steps to ask for; a tiny model to train with two of the schedules.

    `exact` runs have ratios that make whole numbers of steps, however one rounds; `warmup` and `warmdown`
    are these numbers. The `uneven` ones have ratios that do not. `defaults` are the lengths of runs that
    leave the ratios out. The `resumed` run goes on from a checkpoint within its warm-up. A `long` run, of
    exact ratios, is asked for the steps where its parts meet.
    """
    exact = []
    for warmup in (0, 1, 2, rng.randint(3, 9), rng.randint(10, 60), rng.randint(10, 60), 300):
        for warmdown in (0, rng.randint(1, 80), rng.randint(1, 80)):
            exact.append(_draw_exact(rng, warmup, warmdown, level=rng.choice([0, 1, rng.randint(2, 100)])))
    exact.append(_draw_exact(rng, rng.randint(1, 5), 0, level=0))
    uneven = [
        {
            "num_iterations": rng.randint(5, 200),
            "warmup_ratio": rng.uniform(0.02, 0.5),
            "warmdown_ratio": rng.choice([0.0, rng.uniform(0.02, 0.5)]),
            "final_lr_frac": rng.choice([0.0, rng.random()]),
        }
        for _ in range(8)
    ]
    long = _draw_exact(rng, rng.randint(5000, 15_000), rng.randint(5000, 15_000), rng.randint(30_000, 50_000))
    last = long["num_iterations"] - 1
    corners = (0, long["warmup"] // 2, long["warmup"], last - long["warmdown"], last - 1)
    long["steps"] = sorted({it + more for it in corners for more in (-1, 0, 1) if it + more >= 0})
    for run in (*exact, *uneven, long):
        run["by_name"] = rng.random() < 0.5
    vocabulary = 6
    resumed = _draw_exact(rng, 5, rng.randint(1, 2), level=1)
    resumed["at"] = 3
    trained = [_draw_exact(rng, warmup, rng.randint(1, 3), level=rng.randint(1, 2)) for warmup in (0, 4)]
    return {
        "exact": exact,
        "uneven": uneven,
        "long": long,
        "defaults": list(DEFAULT_RUNS),
        "trained": trained,
        "resumed": resumed,
        "model": {
            "weights": weights.draw_weights(rng, 1, 4, vocabulary, attention=True),
            "layers": 1,
            "T": 1,
            "micro_batches": 1,
            "tokens": [rng.randrange(vocabulary) for _ in range(2)],
        },
    }


def _draw_exact(rng, warmup, warmdown, level):
    """A run of which so many steps warm up, are level and warm down: whole numbers by every rounding."""
    while True:
        n = max(1, warmup + level + warmdown)
        run = {
            "num_iterations": n,
            "warmup_ratio": warmup / n,
            "warmdown_ratio": warmdown / n,
            "final_lr_frac": rng.choice([0.0, 0.1, round(rng.random(), 3), 1.0]),
            "warmup": warmup,
            "warmdown": warmdown,
        }
        if run["warmup_ratio"] * n == warmup and run["warmdown_ratio"] * n == warmdown:
            return run
        level += 1


def measure(inputs):
    """The multipliers of every run, step by step; for `trained` the rates at the optimizers, too, and for
    `resumed` those of a run that goes on from a checkpoint. `tuned` are the same in fine-tuning; None where
    that fails."""
    from scripts.base_train import get_lr_multiplier

    measured = {
        name: [_multipliers(get_lr_multiplier, run) for run in inputs[name]] for name in ("exact", "uneven")
    }
    measured["long"] = _multipliers(get_lr_multiplier, inputs["long"])
    measured["defaults"] = [
        _each(lambda it, n=n: get_lr_multiplier(it=it, num_iterations=n), range(n))
        for n in inputs["defaults"]
    ]
    n = inputs["defaults"][0]
    measured["types"] = _types(lambda it: get_lr_multiplier(it=it, num_iterations=n), n)
    measured["trained"] = [_rates(inputs["model"], run) for run in inputs["trained"]]
    measured["resumed"] = _resumed(inputs["model"], inputs["resumed"])
    measured["tuned"] = _tuned(inputs["model"], inputs["resumed"])
    return measured


def _multipliers(get_lr_multiplier, run):
    n, ratios = run["num_iterations"], {name: run[name] for name in NAMES}
    steps = run.get("steps", range(n))
    if run["by_name"]:
        return _each(lambda it: get_lr_multiplier(it=it, num_iterations=n, **ratios), steps)
    try:
        return _each(lambda it: get_lr_multiplier(it, n, *ratios.values()), steps)
    except TypeError:  # a schedule may want to be told by name what is what
        return _multipliers(get_lr_multiplier, {**run, "by_name": True})


def _each(multiplier, steps):
    """The multiplier of every step, or what is wrong with the arithmetic of one."""
    try:
        return [float(multiplier(it)) for it in steps]
    except ArithmeticError as error:
        return describe_error(error)


def _types(multiplier, num_iterations):
    """The types of the multipliers, without those that are ordinary numbers."""
    try:
        values = [multiplier(it) for it in range(num_iterations)]
    except ArithmeticError:
        return []
    return sorted({type(value).__name__ for value in values if not isinstance(value, (int, float))})


def _rates(model, run):
    """For every step of a real run, each parameter group's rate over its initial one."""
    try:
        found = tiny_run.train(_case(model, run), **_ratios(run))
    except ArithmeticError as error:
        return describe_error(error)
    return [step["rates"] for step in found["steps"]]


def _resumed(model, run):
    """The same, of a run that goes on from a checkpoint."""
    try:
        return [step["rates"] for step in tiny_run.resume(_case(model, run), run["at"], **_ratios(run))]
    except ArithmeticError as error:
        return describe_error(error)


def _tuned(model, run):
    try:
        case = {**_case(model, run), "micro_batches": 1}
        return tiny_tuning.rates_of_tuning(case, run["num_iterations"], run["at"], **_ratios(run))
    except Exception:
        return None


def _case(model, run):
    tokens = [model["tokens"]] * run["num_iterations"]
    return {**model, "inputs": tokens, "targets": tokens}


def _ratios(run):
    return {name: run[name] for name in NAMES}
