"""Checkpoints and metrics of a pretraining: which, when, with what in them, and in whose folder."""

# What the records of a run say; they may say more.
FIGURES = ("step", "loss", "lr_multiplier", "grad_norm", "tokens", "clipped")
FIGURES += ("tokens_per_second", "val_bpb", "seconds")


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """What there is in the folder after runs with several periods, and after a start over it."""
    seed = inputs["seed"]
    cases = {
        "every second": {"num_iterations": 5, "save_every": 2},
        "the last only, by a period of 0": {"num_iterations": 2, "save_every": 0},
        "the last only, by a long period": {"num_iterations": 3, "save_every": 99, "keep": 1},
        "every one": {"num_iterations": 3, "save_every": 1, "keep": 9, "eval_every": 2},
    }
    return {
        "runs": {name: _run(seed, **case) for name, case in cases.items()},
        "without a folder": _run_without_a_folder(seed),
        "metrics": _metrics(),
        "steps by default": _steps_by_default(),
        "beginning": _beginnings(seed),
    }


def _run(seed, **settings):
    import json
    from itertools import pairwise
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.checkpoint_manager import load_checkpoint, load_model
    from nanochat.training import METRICS_FILE, read_metrics

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    run_dir = Path(mkdtemp()) / "runs" / "one"
    seen, lines = [], []

    def on_step(record):
        path = run_dir / METRICS_FILE
        lines.append(len(path.read_text().splitlines()) >= record["step"])
        steps = (step for step in range(1, 9) if (run_dir / f"step_{step:06d}").is_dir())
        seen.append({"step": record["step"], "saved by then": list(steps)})

    with watched(RowSource(seed)) as watch:
        result = pretrain(seed, base_settings(**settings), run_dir=run_dir, on_step=on_step)
    step = settings["num_iterations"]
    checkpoint = load_checkpoint(run_dir, step)
    model, _ = load_model(run_dir)
    records = read_metrics(run_dir)
    return {
        "files": sorted(path.relative_to(run_dir).as_posix() for path in run_dir.rglob("*")),
        "on the way": seen,
        "metrics are there at once": all(lines),
        "metrics": [[key for key in FIGURES if key in record] for record in records],
        "metrics are the records": records == json.loads(json.dumps(result.records)),
        "checkpoint is the model": all(
            weight.equal(checkpoint.model_state[name]) for name, weight in result.model.state_dict().items()
        ),
        "loaded model is the model": all(
            weight.equal(model.state_dict()[name]) for name, weight in result.model.state_dict().items()
        ),
        "optimizers saved": len(checkpoint.optimizer_states),
        "settings saved": checkpoint.meta["settings"],
        "model saved": checkpoint.meta["model_config"],
        "stripes saved": checkpoint.meta["stripes"],
        "last record saved": checkpoint.meta["last"] == records[-1],
        "step saved": checkpoint.meta["step"],
        "steps made": len(watch.steps),
        "same optimizers": len(result.optimizers),
        "speeds fit the seconds": all(
            record["tokens_per_second"] * record["seconds"] >= 0.9 * record["tokens"] for record in records
        ),
        "metrics are on disk": (run_dir / METRICS_FILE).stat().st_ino in watch.on_disk,
        "seconds rise": all(a["seconds"] < b["seconds"] for a, b in pairwise(records)),
        "seconds": 0 < records[0]["seconds"] < 60,
    }


def _run_without_a_folder(seed):
    from pathlib import Path

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, records_of, watched

    before, seen = len(list(Path().iterdir())), []
    with watched(RowSource(seed)):
        settings = base_settings(num_iterations=2, save_every=1)
        result = pretrain(seed, settings, device=None, on_step=seen.append)
    return {
        "files": len(list(Path().iterdir())) - before,
        "steps": records_of(result, "step"),
        "all were shown": seen == result.records,
    }


def _metrics():
    """Metrics with a line cut short, and what a log that goes on from a step keeps of them."""
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.training import METRICS_FILE, MetricsLog, read_metrics

    from bughunt.lab.measuring.open_files import next_descriptor

    run_dir = Path(mkdtemp())
    nothing, descriptor = read_metrics(run_dir), next_descriptor()
    with MetricsLog(run_dir) as log:
        for step in range(4):
            log.write({"step": step, "loss": step / 2})
        log.sync()
        synced = read_metrics(run_dir)
    left_open = next_descriptor() != descriptor
    path = run_dir / METRICS_FILE
    path.write_text(path.read_text() + '{"step": 4, "lo')
    cut = read_metrics(run_dir)
    with MetricsLog(run_dir, 2) as log:
        log.write({"step": 2, "loss": 7.0})
    with MetricsLog(None, 2) as log:
        log.write({"step": 9})
        log.sync()
    gone_on = read_metrics(run_dir)
    with MetricsLog(run_dir):
        pass
    return {
        "nothing": nothing,
        "put on disk": synced,
        "file is left open": left_open,
        "cut short": cut,
        "gone on from 2": gone_on,
        "begun again": read_metrics(run_dir),
    }


def _steps_by_default():
    """The steps of a loop of which nothing is said but how many and when to validate."""
    from pathlib import Path

    from nanochat.training import TrainResult, training_steps

    from bughunt.lab.measuring.watched_training import base_settings

    settings = base_settings(num_iterations=3, eval_every=2)
    before, result = len(list(Path().iterdir())), TrainResult(None, [])
    begins = [result.seconds_before, len(result.records)]
    for step, record in training_steps(settings, result, lambda: {"held out": 2.5}, stripes=1):
        record |= {"loss": step / 2, "lr_multiplier": 1.0, "grad_norm": 0.5, "tokens": 8}
    keys = ("step", "loss", "held out", "clipped")
    return {
        "before the first": begins,
        "records": [{key: record[key] for key in keys if key in record} for record in result.records],
        "seconds": all(0 <= record["seconds"] < 60 for record in result.records),
        "files": len(list(Path().iterdir())) - before,
    }


def _beginnings(seed):
    """Steps done, or the user's error, for a run that is there or not; what is left of it."""
    from pathlib import Path
    from shutil import copytree
    from tempfile import mkdtemp

    from nanochat.checkpoint_manager import latest_step
    from nanochat.common import UserError
    from nanochat.training import begin_run

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    folder = Path(mkdtemp())
    with watched(RowSource(seed)):
        pretrain(seed, base_settings(num_iterations=2, save_every=1), run_dir=folder / "there")
    found = {}
    for resume in (False, True):
        for overwrite in (False, True):
            for there in (False, True):
                run_dir = folder / f"{resume} {overwrite} {there}"
                if there:
                    copytree(folder / "there", run_dir)
                try:
                    step = begin_run(run_dir, resume=resume, overwrite=overwrite)
                except UserError:
                    step = "refused"
                name = f"resume {resume}, overwrite {overwrite}, {'a' if there else 'no'} run there"
                found[name] = {"begins at": step, "newest left": latest_step(run_dir)}
    return found
