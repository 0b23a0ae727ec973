"""What the progress of a loop shows, by a clock that is set by hand. How it is worded is left to it."""

TOLD = "told"


def draw(rng):
    """Totals, and by how much each of some updates goes on in how many seconds."""
    runs = []
    for total in (rng.randint(4000, 9000), None, rng.randint(40000, 60000)):
        most = (total or 5000) // 4
        updates = [(rng.randint(most // 2, most), seconds) for seconds in rng.sample((1.0, 2.0, 4.5, 6.5), 3)]
        runs.append({"total": total, "updates": updates, "loss": round(rng.uniform(0.1, 9), 4)})
    slow = {"total": 9000, "updates": [(30, 90.0), (20, 1.0)], "loss": 0.5}
    return {"runs": [*runs, slow], "bar": 32 * rng.randint(2, 4)}


def measure(inputs):
    """Whether lines, the status and the bar tell what they should, for the first process and for another."""
    from bughunt.lab.measuring.fresh import freshly_imported
    from bughunt.lab.measuring.replacing import environment
    from bughunt.lab.measuring.told_clock import told_clock

    alone = environment(RANK=None, LOCAL_RANK=None, WORLD_SIZE=None)
    # the tree's module is imported by each clock anew: it may have taken a clock by name
    with told_clock() as clock, freshly_imported("nanochat.common"):
        with environment(RANK="1", LOCAL_RANK="1", WORLD_SIZE="2"):
            elsewhere = _run(inputs["runs"][0], clock)["lines"]
        with alone:
            pictures = [_bar(inputs["bar"], share, clock) for share in (0.25, 0.5, 1.0)]
            return {
                "runs": [_run(run, clock) for run in inputs["runs"]],
                "lines of a second process": elsewhere[-1],
                "on a terminal": [
                    _told(picture, share, 8.0 * (1 - share) / share if share < 1 else 8.0, None, at="[end]")
                    | {"title": "[busy]" in picture}
                    for picture, share in zip(pictures, (0.25, 0.5, 1.0), strict=True)
                ],
                "the bar grows": _grows(*pictures),
                "on a terminal, of two": [bool(_of_two(rank, clock)) for rank in "01"],
                "at the start": _at_the_start(),
                "in a moment": _lines_of_a_moment(clock),
            }


def _told(text, share, seconds, rate, **fields):
    """For each figure that is not None: that the text tells it, or the text."""
    from bughunt.lab.measuring.figures import says_number, says_share, says_time

    told = {
        "share": share is None or says_share(text, 100 * share),
        "time": seconds is None or says_time(text, seconds),
        "rate": rate is None or says_number(text, rate),
    }
    for name, value in fields.items():
        told[name] = name in text and (value in text if isinstance(value, str) else says_number(text, value))
    return {name: TOLD if tells else text for name, tells in told.items()}


def _bar(total, share, clock):
    """The last picture of the bar on a terminal of 160 columns."""
    import contextlib
    import io
    import re

    from nanochat.common import Progress

    from bughunt.lab.measuring.replacing import environment

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    output = Terminal()
    with (
        environment(COLUMNS="160", LINES="24", TERM="xterm", NO_COLOR="1"),
        contextlib.redirect_stdout(output),
        Progress(total, unit="steps", title="[busy]") as progress,
    ):
        for amount in (0.25, share - 0.25):
            clock.seconds += 4.0
            progress.update(total * amount, loss=0.5, at="[end]")
    pictures = re.split(r"\r|\x1b\[2K", output.getvalue())
    plain = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", picture).strip() for picture in pictures]
    return next((picture for picture in reversed(plain) if picture), "")


def _grows(quarter, half, whole):
    """Is there a sign that the picture has about a quarter and half as often as when all is done?"""
    return any(
        0.1 <= quarter.count(sign) / whole.count(sign) <= 0.4 <= half.count(sign) / whole.count(sign) <= 0.7
        for sign in set(whole)
        if whole.count(sign) >= 8 and not sign.isspace()
    )


def _of_two(rank, clock):
    """The bar of a process of two, each the first on its machine."""
    from bughunt.lab.measuring.replacing import environment

    with environment(RANK=rank, LOCAL_RANK="0", WORLD_SIZE="2"):
        return _bar(64, 0.5, clock)


def _at_the_start():
    """The status before anything is done."""
    from nanochat.common import Progress

    with Progress(10) as progress:
        return _told(progress.status(), 0.0, None, None)


def _lines_of_a_moment(clock):
    """How many lines two updates show when there is to be no time between lines, and what is last said."""
    import contextlib
    import io

    from nanochat.common import Progress

    output = io.StringIO()
    with contextlib.redirect_stdout(output), Progress(10, seconds_between_lines=0.0) as progress:
        for _ in range(2):
            clock.seconds += 0.125
            progress.update()
    clock.seconds += 4000.0
    return {
        "lines": len(output.getvalue().splitlines()),
        "later": _told(progress.status(), 0.2, 16001.0, None),
    }


def _run(run, clock):
    """What the status tells after each update, and each line when it is shown."""
    import contextlib
    import io

    from nanochat.common import Progress

    output, statuses, lines = io.StringIO(), [], []
    total, done, seconds = run["total"], 0, 0.0
    steps = [
        *run["updates"],
        *([(total - sum(amount for amount, _ in run["updates"]), 1.0)] if total else []),
    ]
    with contextlib.redirect_stdout(output), Progress(total, unit="steps", title="busy") as progress:
        for index, (amount, passed) in enumerate(steps):
            clock.seconds += passed
            fields = {"loss": run["loss"] + index} if index % 2 == 0 else {"step": 100 + index}
            progress.update(amount, **fields)
            done, seconds = done + amount, seconds + passed
            left = None if total is None else seconds if done == total else seconds * (total - done) / done
            rate = done / seconds if done >= 1000 else None
            share = done / total if total else None
            told = _told(progress.status(), share, left, rate, **fields)
            if total is None:
                told["done"] = _told(progress.status(), None, None, done)["rate"]
            statuses.append(told)
            lines.append(len(output.getvalue().splitlines()))
    shown = output.getvalue().splitlines()
    last = _told(shown[-1], share, left, rate, **fields) if shown else None
    return {
        "statuses": statuses,
        "lines": [*lines, len(shown)],
        "named": ["busy" in line for line in shown],
        "last": last,
    }
