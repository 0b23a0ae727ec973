"""`scripts.base_train` as a whole, with flags, in a base folder of its own."""

FLAGS = {
    "--depth": 1,
    "--n-embd": 8,
    "--n-head": 4,
    "--sequence-len": 4,
    "--device-batch-size": 2,
    "--total-batch-size": 16,
    "--num-iterations": 4,
    "--save-every": 2,
    "--eval-every": 2,
    "--eval-tokens": 16,
    "--device": "cpu",
}


def draw(rng):
    """Seeds: of the rows, and of the initial weights."""
    return {"seed": rng.randrange(1 << 30), "weights": rng.randrange(1 << 20)}


def measure(inputs):
    """What runs leave in their folders, how they end, and whether the same flags give the same model."""
    from pathlib import Path
    from tempfile import mkdtemp

    from bughunt.lab.measuring.replacing import environment
    from bughunt.lab.measuring.watched_training import byte_tokenizer

    folder = Path(mkdtemp())
    with environment(NANOCHAT_BASE_DIR=str(folder)):
        endings = {"no tokenizer": _run(inputs, [])["ends"]}
        byte_tokenizer().save(folder / "tokenizer")
        flags = ["--seed", str(inputs["weights"])]
        endings["a device that is none"] = _run(inputs, ["--name", "no", "--device", "tpu"])["ends"]
        endings["a batch that does not divide"] = _run(inputs, ["--total-batch-size", "10"])["ends"]
        endings["a flag that is none"] = _run(inputs, ["--depht", "2"])["ends"]
        first = _run(inputs, flags)
        endings["a run that is there"] = _run(inputs, flags)["ends"]
        endings["a finished run resumed"] = _run(inputs, [*flags, "--resume", "--device", "auto"])
        again = _run(inputs, [*flags, "--name", "again"])
        by_default = _run(inputs, ["--overwrite", "--num-iterations", "2"])
        _stop(folder / "again")
        resumed = _run(inputs, [*flags, "--name", "again", "--resume"])
        model, other, third = (_model(folder / name) for name in ("base", "again", "base"))
        gpu = ["--name", "gpu", "--device", "cuda", "--num-iterations", "1"]
        return {
            "endings": endings,
            "with a GPU": _run(inputs, gpu, on_a_gpu=True),
            "first": first,
            "again": again,
            "another seed, over the first": by_default,
            "resumed": resumed,
            "folders": sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*")),
            "model": {name: list(weight.shape) for name, weight in model.items()},
            "same seed, same model": _equal(_fresh(inputs, 0, 1), _fresh(inputs, 0, 2)),
            "another seed, another model": not _equal(_fresh(inputs, 0, 1), _fresh(inputs, 1, 1)),
            "two runs, two models": not _equal(model, other),
            "loaded twice": _equal(model, third),
        }


def _run(inputs, flags, *, on_a_gpu=False):
    """How the script ends, the progress it shows by its numbers, and what it learnt from."""
    from scripts import base_train

    from bughunt.lab.measuring.watched_scripts import run_watched

    return run_watched(base_train.main, FLAGS, flags, inputs["seed"], on_a_gpu=on_a_gpu)[1]


def _fresh(inputs, seed, state):
    """A model that a pretraining begins with for a seed, wherever torch's random numbers are."""
    import torch

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, pretrain, watched

    torch.manual_seed(state)
    settings = base_settings(seed=inputs["weights"] + seed, num_iterations=1)
    with watched(RowSource(inputs["seed"])):
        return pretrain(0, settings, model=None).model.state_dict()


def _stop(run_dir):
    """As if the run had been stopped before its last checkpoint."""
    import shutil

    from nanochat.checkpoint_manager import latest_step

    shutil.rmtree(run_dir / f"step_{latest_step(run_dir):06d}")


def _model(run_dir):
    from nanochat.checkpoint_manager import load_model

    return load_model(run_dir)[0].state_dict()


def _equal(model, other):
    return all(weight.equal(other[name]) for name, weight in model.items())
