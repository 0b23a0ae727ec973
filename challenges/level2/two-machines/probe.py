"""The gradient's norm against the number of micro-batches, and where clipping bites."""

from bughunt.views import Plot, Series, Table, Text

NAMES = "ABC"


def view(inputs, measured):
    runs = [
        (run, found)
        for run, found in zip(inputs["runs"], measured, strict=True)
        if not run.keys() & {"processes", "stripes", "kept"}
    ]
    rows = []
    for run, found in sorted(runs, key=lambda pair: (pair[0]["case"], pair[0]["micro_batches"])):
        case = inputs["cases"][run["case"]]
        total = len(case["inputs"][0]) // case["T"]
        clip = found["grad_clip"]
        rows.append(
            (
                NAMES[run["case"]],
                f"{run['micro_batches']} × {total // run['micro_batches']}",
                f"{clip:.3f}" if clip else "off",
                f"{found['losses'][0]:.4f}",
                f"{found['norms'][0]:.4f}",
                "yes" if found["clipped"][0] else "no",
            )
        )
    yield Table(
        ("batch", "micro-batches × rows", "clip at", "loss", "gradient norm", "clipped"),
        rows,
        title="The first step of training on the same batch, split in several ways",
    )
    series = []
    for index, name in enumerate(NAMES):
        points = sorted(
            (run["micro_batches"], found["norms"][0])
            for run, found in runs
            if run["case"] == index and not found["grad_clip"]
        )
        series.append(Series(f"batch {name}", [x for x, _ in points], [y for _, y in points]))
    yield Plot("Clipping off", series, x_label="micro-batches", y_label="gradient norm")
    yield Text("Each batch holds the same rows in every line: only the way it is cut up differs.", "dim")
