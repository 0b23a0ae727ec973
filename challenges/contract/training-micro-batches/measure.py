"""Which rows each forward pass of a pretraining has, as stripes and resumed."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Rows of runs; how batches are split, and whether a split that does not divide is refused."""
    from pathlib import Path
    from tempfile import mkdtemp

    seed = inputs["seed"]
    cases = {
        "one stripe": {},
        "two stripes": {"stripes": 2},
    }
    run_dir = Path(mkdtemp())
    found = {name: _run(seed, num_iterations=2, **settings) for name, settings in cases.items()}
    for start in (0, 1):
        settings = {"save_every": 1, "num_iterations": 3, "stripes": 2, "keep": 9}
        found[f"from step {start}"] = _run(seed, run_dir, start, **settings)
    return {"runs": found, "splits": _splits(), "end of the data": _end_of_data(seed)}


def _run(seed, run_dir=None, start_step=0, **settings):
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, left_on, pretrain, records_of, watched

    source = RowSource(seed)
    with watched(source) as watch:
        result = pretrain(seed, base_settings(**settings), run_dir=run_dir, start_step=start_step)
    return {
        "rows": watch.rows(learning=True),
        "asked of the data": sorted(map(list, source.asked)),
        "tokens": records_of(result, "step", "tokens"),
        "left on the model": left_on(result.model),
        "optimizer steps": len(watch.steps),
    }


def _splits():
    """Stripes and micro-batches for totals; "refused" where it is the user's error."""
    from nanochat.common import UserError
    from nanochat.training import get_batch_split

    from bughunt.lab.measuring.watched_training import base_settings

    cases = [
        (None, 12, (3,)),
        (2, 24, (3,)),
        (3, 24, (3,)),
        (None, 8, ()),
        (None, 7, ()),
        (None, 0, (3,)),
        (None, -6, (3,)),
        (None, 1, (1,)),
    ]
    found = {}
    for stripes, total, row_length in cases:
        name = f"{total} in {stripes} stripes, rows of {[*row_length]}"
        try:
            found[name] = list(get_batch_split(base_settings(stripes=stripes), total, *row_length))
        except UserError:
            found[name] = "refused"
    return found


def _end_of_data(seed):
    """Steps that are made until data of seven rows is at its end, and that this ends the run."""
    from nanochat.common import UserError

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    try:
        with watched(RowSource(seed, length=7)) as watch:
            pretrain(seed, base_settings())
    except UserError:
        return {"steps": len(watch.steps), "ends the run": True}
    return {"ends the run": False}
