"""A pretraining resumed from a checkpoint, against the same one in one go; settings that may not change."""

# Of settings that may not change, another value; those of `stripes` are counted by how many are in use.
OTHERS = {
    "seed": 5,
    "num_iterations": 9,
    "device_batch_size": 1,
    "unembedding_lr": 0.5,
    "embedding_lr": 0.5,
    "matrix_lr": 0.5,
    "weight_decay": 0.5,
    "grad_clip": 0.5,
    "warmup_ratio": 0.125,
    "warmdown_ratio": 0.125,
    "final_lr_frac": 0.5,
    "depth": 2,
    "n_embd": 16,
    "n_head": 2,
    "n_kv_head": 2,
    "sequence_len": 8,
    "total_batch_size": 8,
    "name": "other",
    "resume": True,
    "overwrite": True,
    "device": "cpu",
    "stripes": 1,
    "save_every": 7,
    "keep": 7,
    "eval_every": 7,
    "eval_tokens": 7,
}


def draw(rng):
    """A seed for weights and rows, and the step to resume at."""
    return {"seed": rng.randrange(1 << 30), "at": rng.choice([2, 4])}


def measure(inputs):
    """Whether losses, weights and random numbers are the same to the last digit, the lines of the metrics,
    and which changes of the settings are refused."""
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.training import read_metrics

    from bughunt.lab.measuring.watched_training import base_settings

    run_dir = Path(mkdtemp())
    settings = base_settings(num_iterations=6, save_every=2, keep=9, eval_every=3, warmup_ratio=0.5)
    whole, drawn = _run(inputs["seed"], settings, run_dir, 0)
    before = read_metrics(run_dir)
    resumed, drawn_again = _run(inputs["seed"], settings, run_dir, inputs["at"])
    after = read_metrics(run_dir)
    ends = [list(result.model.state_dict().values()) for result in (whole, resumed)]
    timeless = [[_without_time(record) for record in records] for records in (before, after)]
    return {
        "same losses": whole.losses[inputs["at"] :] == resumed.losses,
        "same weights": all(one.equal(other) for one, other in zip(*ends, strict=True)),
        "same random numbers": drawn[inputs["at"] :] == drawn_again,
        "same metrics": timeless[0] == timeless[1],
        "steps in the metrics": [record["step"] for record in after],
        "time goes on": [record["seconds"] for record in after]
        == sorted(record["seconds"] for record in after),
        "seconds before": resumed.seconds_before == before[inputs["at"] - 1]["seconds"],
        "changed settings": _changes(inputs["seed"], settings, run_dir, whole),
        "without a folder": _refusal(settings, None, 2, whole),
        "without a checkpoint": _refusal(settings, run_dir, 3, whole),
        "from the start": _refusal(settings, None, 0, whole),
    }


def _run(seed, settings, run_dir, start_step):
    """The result with real optimizers, and a random number of torch's after every step."""
    import torch

    from bughunt.lab.measuring.row_source import RowSource
    from bughunt.lab.measuring.watched_training import pretrain, watched

    drawn = []
    torch.manual_seed(seed + start_step)
    with watched(RowSource(seed), stand_ins=False):
        result = pretrain(
            seed + start_step,  # the weights are those of the checkpoint
            settings,
            run_dir=run_dir,
            start_step=start_step,
            on_step=lambda _: drawn.append(torch.rand(()).item()),
        )
    return result, drawn


def _without_time(record):
    return {key: value for key, value in record.items() if key not in ("seconds", "tokens_per_second")}


def _changes(seed, settings, run_dir, result):
    from dataclasses import replace

    def changed(name):
        other = {"resume": False} if name == "overwrite" else {}
        return replace(settings, **{name: OTHERS[name], **other})

    found = {name: _refusal(changed(name), run_dir, 2, result) for name in OTHERS}
    return {
        **found,
        "stripes in use": _refusal(settings, run_dir, 2, result, stripes=2),
        "base of a fine-tuning": _another_base(seed),
    }


def _another_base(seed):
    """A fine-tuning that goes on has its own weights: where they came from at first does not matter."""
    from dataclasses import replace
    from pathlib import Path
    from tempfile import mkdtemp

    from nanochat.training import TrainResult, save_training_state

    from bughunt.lab.measuring.flushing import flushes_noted
    from bughunt.lab.measuring.watched_training import tiny_model, tuning_settings

    run_dir, settings = Path(mkdtemp()), tuning_settings()
    result = TrainResult(tiny_model(seed), [], [{"step": 0, "loss": 1.0, "seconds": 1.0}])
    with flushes_noted():
        save_training_state(run_dir, settings, 1, result)
    return _refusal(replace(settings, base="other"), run_dir, 1, result)


def _refusal(settings, run_dir, step, result, stripes=1):
    from nanochat.common import UserError
    from nanochat.training import load_training_state

    try:
        load_training_state(run_dir, step, settings, stripes, result)
    except (UserError, ValueError) as error:
        return "the user's error" if isinstance(error, UserError) else "an error"
    return "accepted"
