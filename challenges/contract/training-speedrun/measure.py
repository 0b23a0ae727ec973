"""The stages of a speedrun: which run, with which flags, after an interruption, and over another one."""


def draw(rng):
    """At which stage a speedrun is interrupted, and how long the metrics say that a training took."""
    return {"dies at": rng.randrange(1, 4), "seconds": round(rng.uniform(50, 500), 3)}


def measure(inputs):
    """What runs at first, after the interruption and once more; with another recipe; and what is refused."""
    import json
    from pathlib import Path
    from tempfile import mkdtemp

    from scripts import speedrun

    from bughunt.lab.measuring.speedrun_stages import SCRIPTS

    folder = Path(mkdtemp())
    metrics = folder / "base" / "metrics.jsonl"
    metrics.parent.mkdir()
    metrics.write_text("".join(json.dumps({"seconds": one}) + "\n" for one in (1.0, inputs["seconds"])))
    first = _run(folder, speedrun.Settings(device="cpu"), SCRIPTS[inputs["dies at"]])
    on = _run(folder, speedrun.Settings(device="cpu"))
    again = _run(folder, speedrun.Settings())
    other = _run(folder, speedrun.Settings(scale="hours"))
    for name in ("tokenizer", "base", "sft", "report"):
        (folder / name).mkdir(exist_ok=True)
    over = _run(folder, speedrun.Settings(scale="hours", overwrite=True))
    points = [(step, float(step * step)) for step in range(5)]
    return {
        "interrupted": first,
        "gone on": on,
        "once more": again,
        "another recipe": other,
        "over it": over,
        "left": sorted(path.name for path in folder.iterdir()),
        "smoothed": {str(window): speedrun.smooth(points, window) for window in (0, 1, 2, 5, 9)},
        "questions": len(speedrun.QUESTIONS),
    }


def _run(folder, settings, dies_at=None):
    """The stages run, with their flags, and what the state says of them."""
    import contextlib
    import io
    import json

    from nanochat.common import UserError
    from scripts import speedrun

    from bughunt.lab.measuring.speedrun_stages import stages_replaced

    ran = []

    def stage(name, flags):
        ran.append([name, *flags])
        if name == dies_at:
            raise KeyboardInterrupt

    with stages_replaced(stage), contextlib.redirect_stdout(io.StringIO()):
        try:
            speedrun.run_stages(folder, settings)
            ends = "well"
        except UserError:
            ends = "the user's error"
        except KeyboardInterrupt:
            ends = "interrupted"
    state = json.loads((folder / speedrun.STATE_FILE).read_text())
    seconds = state["seconds"]
    return {
        "ends": ends,
        "ran": ran,
        "recipe": [state["scale"], state["recipe"]],
        "done": sorted(seconds),
        "commands": state["commands"],
        "by the metrics": {stage: round(one, 3) for stage, one in seconds.items() if one > 10},
    }
