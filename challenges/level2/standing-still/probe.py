"""The learning-rate curve."""

from bughunt.views import Plot, Series, Table, Text


def view(inputs, measured):
    default = measured["defaults"][-1]
    if isinstance(default, str):
        yield Text(f"The default recipe's schedule cannot be computed: {default}", "warn")
    else:
        yield Plot(
            "The default recipe: share of the initial learning rate",
            [Series("multiplier", list(range(len(default))), default)],
            x_label="step",
            y_label="multiplier",
        )
    runs = [
        pair for pair in zip(inputs["exact"], measured["exact"], strict=True) if not isinstance(pair[1], str)
    ]
    rows = []
    for run, found in sorted(runs, key=lambda pair: (pair[0]["warmup"], pair[0]["warmdown"]))[::3]:
        warmup, warmdown = run["warmup"], run["warmdown"]
        rows.append(
            (
                run["num_iterations"],
                warmup,
                warmdown,
                f"{found[0]:.4f}",
                f"{found[warmup - 1]:.4f}" if warmup else "-",
                f"{found[warmup]:.4f}" if warmup < len(found) else "-",
                f"{found[-1]:.4f}",
            )
        )
    yield Table(
        ("steps", "warm-up", "warm-down", "first step", "end of warm-up", "next step", "last step"),
        rows,
        title="get_lr_multiplier at some steps of other runs",
    )
    run, rates = inputs["trained"][-1], measured["trained"][-1]
    if not isinstance(rates, str):
        yield Text(
            f"In a real run of {run['num_iterations']} steps, {run['warmup']} of them warm-up, the "
            f"optimizers got {', '.join(f'{step[0]:.4g}' for step in rates)} of their initial rates."
        )
