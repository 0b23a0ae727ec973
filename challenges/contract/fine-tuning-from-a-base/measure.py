"""`scripts.chat_sft` as a whole, with flags, on a base model in a base folder of its own."""

FLAGS = {
    "--device-batch-size": 1,
    "--total-batch-size": 2,
    "--num-iterations": 4,
    "--save-every": 2,
    "--eval-every": 2,
    "--eval-conversations": 2,
    "--device": "cpu",
}


def draw(rng):
    """A seed for weights and rows."""
    return {"seed": rng.randrange(1 << 30)}


def measure(inputs):
    """What runs leave in their folders, how they end, and whether an interrupted one ends as a whole one."""
    from pathlib import Path
    from shutil import rmtree
    from tempfile import mkdtemp

    from nanochat.training import TrainResult, read_metrics, save_training_state

    from bughunt.lab.measuring.replacing import environment
    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import base_settings, byte_tokenizer, tiny_model, watched

    folder = Path(mkdtemp())
    with environment(NANOCHAT_BASE_DIR=str(folder)):
        endings = {"no tokenizer": _run(inputs, [])["ends"]}
        byte_tokenizer().save(folder / "tokenizer")
        endings["no base model"] = _run(inputs, [])["ends"]
        base = TrainResult(tiny_model(inputs["seed"]), [], [{"step": 0, "loss": 1.0, "seconds": 1.0}])
        with watched(RowSource(0)):
            save_training_state(folder / "base", base_settings(), 1, base)
        endings["another base"] = _run(inputs, ["--base", "other"])["ends"]
        endings["a device that is none"] = _run(inputs, ["--device", "tpu"])["ends"]
        endings["a batch that does not divide"] = _run(inputs, ["--device-batch-size", "4"])["ends"]
        whole = _run(inputs, [])
        endings["a run that is there"] = _run(inputs, [])["ends"]
        _run(inputs, ["--name", "again"])
        rmtree(folder / "again" / "step_000004")
        resumed = _run(
            inputs, ["--name", "again", "--resume", "--eval-conversations", "3", "--device", "auto"]
        )
        losses = [[record["loss"] for record in read_metrics(folder / name)] for name in ("sft", "again")]
        models = [_model(folder / name) for name in ("base", "sft", "again")]
        endings["over it, with another seed"] = _run(
            inputs, ["--overwrite", "--seed", "7", "--num-iterations", "1"]
        )
        gpu = ["--name", "gpu", "--device", "cuda", "--num-iterations", "1"]
        return {
            "endings": endings,
            "with a GPU": _run(inputs, gpu, on_a_gpu=True),
            "run": whole,
            "resumed": resumed,
            "same losses": losses[0] == losses[1],
            "steps in the metrics": len(losses[1]),
            "same model": _equal(models[1], models[2]),
            "has learnt": not _equal(models[0], models[1]),
            "base is as it was": _equal(models[0], tiny_model(inputs["seed"]).state_dict()),
            "folders": sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*")),
        }


def _run(inputs, flags, *, on_a_gpu=False):
    """How the script ends, what it learnt from and which conversations it was asked to make."""
    from scripts import chat_sft

    from bughunt.lab.measuring.replacing import replaced
    from bughunt.lab.measuring.watched_scripts import run_watched
    from nanochat import tasks

    mixtures = set()

    def mixture(name):
        def make(seed=0, sorted_stretch=1):
            mixtures.add((name, seed, sorted_stretch))
            return [f"{name} {seed}"]

        return make

    own = {f"{name}_mixture": mixture(name) for name in ("training", "validation")}
    with replaced(tasks, **own):
        watch, told = run_watched(chat_sft.main, FLAGS, flags, inputs["seed"], on_a_gpu=on_a_gpu)
    return {
        **told,
        "rows only measured": watch.rows(learning=False),
        "mixtures": sorted(map(list, mixtures)),
    }


def _model(run_dir):
    from nanochat.checkpoint_manager import load_model

    return load_model(run_dir)[0].state_dict()


def _equal(model, other):
    return all(weight.equal(other[name]) for name, weight in model.items())
