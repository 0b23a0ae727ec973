"""Which rows each forward pass of a pretraining has, as stripes, as one of several processes and resumed."""


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """Rows of runs; how batches are split, and whether a split that does not divide is refused."""
    from pathlib import Path
    from tempfile import mkdtemp

    seed = inputs["seed"]
    cases = {
        "alone": (None, {}),
        "two stripes alone": (None, {"stripes": 2}),
        "first of two with four stripes": ((2, 0), {"stripes": 4, "total_batch_size": 32}),
        "second of two": ((2, 1), {"total_batch_size": 32}),
    }
    run_dir = Path(mkdtemp())
    found = {
        name: _run(seed, process, num_iterations=2, **settings) for name, (process, settings) in cases.items()
    }
    for start in (0, 1):
        settings = {"save_every": 1, "num_iterations": 3, "stripes": 2, "keep": 9}
        found[f"from step {start}"] = _run(seed, None, run_dir, start, **settings)
    return {"runs": found, "splits": _splits(), "end of the data": _end_of_data(seed)}


def _run(seed, process, run_dir=None, start_step=0, **settings):
    from contextlib import nullcontext

    from bughunt.lab.measuring.peers import one_of
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, left_on, pretrain, records_of, watched

    source = RowSource(seed)
    with nullcontext() if process is None else one_of(*process), watched(source) as watch:
        result = pretrain(seed, base_settings(**settings), run_dir=run_dir, start_step=start_step)
    return {
        "rows": watch.rows(learning=True),
        "asked of the data": sorted(map(list, source.asked)),
        "tokens": records_of(result, "step", "tokens"),
        "left on the model": left_on(result.model),
        "optimizer steps": len(watch.steps),
    }


def _splits():
    """Stripes and micro-batches for totals and processes; "refused" where it is the user's error."""
    from contextlib import nullcontext

    from nanochat.common import UserError
    from nanochat.training import get_batch_split

    from bughunt.lab.measuring.peers import one_of
    from bughunt.lab.measuring.watched_training import base_settings

    cases = [
        (1, None, 12, (3,)),
        (1, 2, 24, (3,)),
        (1, 3, 24, (3,)),
        (1, None, 8, ()),
        (1, None, 7, ()),
        (1, None, 0, (3,)),
        (1, None, -6, (3,)),
        (1, None, 1, (1,)),
        (2, None, 24, (3,)),
        (2, 4, 24, (3,)),
        (2, 4, 48, (2,)),
        (2, 4, 12, (3,)),
        (2, 3, 72, (3,)),
        (2, 1, 72, (3,)),
    ]
    found = {}
    for processes, stripes, total, row_length in cases:
        name = f"{total} in {stripes} stripes on {processes}, rows of {[*row_length]}"
        with nullcontext() if processes == 1 else one_of(processes, 0):
            try:
                found[name] = list(get_batch_split(base_settings(stripes=stripes), total, *row_length))
            except UserError:
                found[name] = "refused"
    return found


def _end_of_data(seed):
    """What is learnt from until data of seven rows is at its end, and that this ends the run."""
    from nanochat.common import UserError

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    try:
        with watched(RowSource(seed, length=7)) as watch:
            pretrain(seed, base_settings())
    except UserError:
        return {"passes": len(watch.forwards), "ends the run": True}
    return {"ends the run": False}
