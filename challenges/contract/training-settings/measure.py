"""What the training scripts are set to when nothing is said, by flags, and what they refuse."""

REFUSED = {
    "num_iterations": (0, -1),
    "device_batch_size": (0, -2),
    "keep": (0,),
    "grad_clip": (-0.5,),
    "eval_every": (-1,),
    "save_every": (-1,),
    "warmup_ratio": (-0.125, 0.875),
    "warmdown_ratio": (-0.125, 1.0),
}
ACCEPTED = {
    "num_iterations": (1,),
    "device_batch_size": (1,),
    "keep": (1,),
    "grad_clip": (0.0,),
    "eval_every": (0,),
    "save_every": (0,),
    "warmup_ratio": (0.0, 0.25),
    "warmdown_ratio": (0.0, 0.5),
}
FOR_PRETRAINING = {"depth": (0, 1), "sequence_len": (0, 1), "eval_tokens": (0, 1)}


def draw(rng):
    """Shapes: depths, and some with a width or heads of their own."""
    return {
        "depths": [*range(1, 13), rng.randint(13, 24)],
        "shapes": [
            {"depth": 3, "n_embd": 96},
            {"depth": 1, "n_embd": 2},
            {"depth": 2, "n_head": 8},
            {"depth": 2, "n_head": 8, "n_kv_head": 2},
            {"depth": 2, "n_embd": rng.choice([130, 190, 250, 254])},
            {"depth": 2, "n_embd": rng.choice([258, 262, 384, 390])},
        ],
        "vocabulary": rng.randint(300, 9000),
        "flags": {
            "num_iterations": rng.randint(2, 999),
            "matrix_lr": round(rng.uniform(0.001, 0.5), 4),
            "name": "another",
            "stripes": rng.randint(1, 8),
        },
    }


def measure(inputs):
    """Defaults, settings by flags, refusals, and the shapes of models."""
    from dataclasses import asdict

    from nanochat.common import parse_settings
    from nanochat.training import TrainingSettings
    from scripts import base_train, chat_sft, speedrun

    kinds = {"pretraining": base_train.Settings, "fine-tuning": chat_sft.Settings, "any": TrainingSettings}
    flags = [
        word
        for name, value in inputs["flags"].items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]
    found = {}
    for name, kind in kinds.items():
        found[name] = {
            "defaults": asdict(kind()),
            "without flags": asdict(parse_settings(kind, [])),
            "with flags": asdict(parse_settings(kind, [*flags, "--resume", "--no-overwrite"])),
            "refused": {
                f"{setting} {value}": _is_refused(kind, **{setting: value})
                for setting in REFUSED
                for value in (*REFUSED[setting], *ACCEPTED[setting])
            },
            "nothing but warm-up and warm-down": _is_refused(kind, warmup_ratio=0.25, warmdown_ratio=0.75),
        }
    found["refused only by pretraining"] = {
        f"{setting} {value}": _is_refused(base_train.Settings, **{setting: value})
        for setting, values in FOR_PRETRAINING.items()
        for value in values
    }
    cases = [*({"depth": depth} for depth in inputs["depths"]), *inputs["shapes"]]
    found["shapes"] = {
        str(case): asdict(base_train.get_model_config(base_train.Settings(**case), inputs["vocabulary"]))
        for case in cases
    }
    found["as programs"] = {
        "base_train": _program("base_train", "--device", "tpu"),
        "chat_sft": _program("chat_sft", "--device", "tpu"),
        "speedrun": _program("speedrun", "--help"),
    }
    found["speedrun"] = {
        "defaults": asdict(speedrun.Settings()),
        "flags": {
            scale: {
                stage: [name, flags]
                for stage, (name, _, flags) in speedrun.commands(speedrun.Settings(scale=scale)).items()
            }
            for scale in ("minutes", "hours", "gpu")
        },
    }
    return found


def _program(script, *words):
    """How a script ends that is run as a program."""
    import contextlib
    import io
    import runpy
    import sys
    import warnings

    from bughunt.lab.measuring.programs import exit_status
    from bughunt.lab.measuring.replacing import replaced

    errors = io.StringIO()
    with (
        replaced(sys, argv=[script, *words]),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(errors),
        warnings.catch_warnings(action="ignore"),
    ):
        try:
            runpy.run_module(f"scripts.{script}", run_name="__main__", alter_sys=True)
        except SystemExit as exit:
            return {"status": exit_status(exit, errors), "says why": bool(errors.getvalue().strip())}
    return "goes on"


def _is_refused(kind, **settings):
    try:
        kind(**settings)
    except ValueError:
        return True
    return False
