"""The curves of a speedrun: their points, what they are smoothed over, their scales and where they stand."""

import re


def draw(rng):
    """Metrics of both trainings: every other step has a validation."""
    steps = rng.randint(6, 9)
    return {
        stage: [
            {
                "step": step,
                "loss": round(rng.uniform(1, 5), 3),
                "lr_multiplier": rng.random(),
                "grad_norm": rng.random(),
                "clipped": step % 3 == 0,
                **({key: round(rng.uniform(1, 5), 3)} if step % 2 else {}),
            }
            for step in range(steps)
        ]
        for stage, key in (("pretraining", "val_bpb"), ("fine-tuning", "val_loss"))
    }


def measure(inputs):
    """The curves of short runs, of long ones, and of some whose losses are small or nothing."""
    from scripts import speedrun

    long = {
        stage: [record(step, 1.0 + step * 7 % 11, step * 5 % 13) for step in range(steps)]
        for stage, steps in (("pretraining", 200), ("fine-tuning", 198))
    }
    small = [
        {"pretraining": [record(step, loss) for step, loss in enumerate(losses)]}
        for losses in ([0.5, 0.25], [1.5, 0.0], [0.0, 0.0])
    ]
    return {
        "charts": charts(speedrun.curves(inputs)),
        "long runs": {
            name: {label: [len(line), line[-1]] for label, line in lines.items()}
            for name, (*_, lines) in charts(speedrun.curves(long))[0].items()
        },
        "logarithmic": [
            [is_logarithmic for _, is_logarithmic, *_ in charts(speedrun.curves(metrics))[0].values()]
            for metrics in small
        ],
    }


def record(step, loss, grad_norm=1.0):
    """The metrics of a step without a validation."""
    return {"step": step, "loss": loss, "lr_multiplier": 1.0, "grad_norm": grad_norm, "clipped": False}


def charts(blocks):
    """The curves by the chart's name, under which heading it stands, and the shares that are told."""
    found, heading, told = {}, None, []
    for block in blocks:
        if hasattr(block, "lines"):
            lines = {name: [list(point) for point in line] for name, line in block.lines.items()}
            found[block.name] = [heading, block.log_y, "step" in block.x_label.lower(), lines]
        elif re.search(r"\d%", block.text):
            told.append(re.findall(r"\d+%", block.text))
        else:
            heading = block.text.lower()
    return [found, told]
