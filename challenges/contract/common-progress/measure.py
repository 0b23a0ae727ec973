"""What the progress of a loop shows, by a clock that is set by hand."""


def draw(rng):
    """Totals, and by how much each of some updates goes on in how many seconds."""
    runs = []
    for total in (rng.randint(40, 60), None, rng.randint(4000, 60000)):
        most = (total or 50) // 4
        updates = [(rng.randint(1, most), rng.choice([1.0, 2.0, 4.0, 6.5])) for _ in range(3)]
        runs.append({"total": total, "updates": updates, "loss": round(rng.uniform(0.1, 9), 4)})
    slow = {"total": 9000, "updates": [(3, 9.0), (2, 1.0)], "loss": 0.5}
    return {"runs": [*runs, slow]}


def measure(inputs):
    """The numbers of each line and of the status, for the first process and for another."""
    from bughunt.lab.measuring.replacing import environment

    with environment(RANK="1", LOCAL_RANK="1", WORLD_SIZE="2"):
        elsewhere = _run(inputs["runs"][0])["lines"]
    with environment(RANK=None, LOCAL_RANK=None, WORLD_SIZE=None):
        return {
            "runs": [_run(run) for run in inputs["runs"]],
            "lines of a second process": elsewhere,
            "on a terminal": [_bar(inputs["runs"][0]["total"], share) for share in (0.25, 0.5, 1)],
        }


def _bar(total, share):
    """The last picture of the bar on a terminal of 80 columns."""
    import contextlib
    import io
    import re
    import time

    from nanochat.common import Progress

    from bughunt.lab.measuring.replacing import environment, replaced

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    clock = [1000.0]
    output = Terminal()
    with (
        environment(COLUMNS="80", LINES="24", TERM="xterm", NO_COLOR="1"),
        replaced(time, monotonic=lambda: clock[0]),
        contextlib.redirect_stdout(output),
        Progress(total, unit="steps", title="[busy]") as progress,
    ):
        clock[0] += 8.0
        progress.update(total * share, loss=0.5)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue().split("\x1b[2K")[-1]).strip()


def _run(run):
    import contextlib
    import io
    import re
    import time

    from nanochat.common import Progress

    from bughunt.lab.measuring.replacing import replaced

    clock = [1000.0]

    def now():
        return clock[0]

    def numbers(text):
        return re.findall(r"\d[\d:.,]*%?", text)

    output, statuses = io.StringIO(), []
    with contextlib.ExitStack() as stack:
        stack.enter_context(replaced(time, monotonic=now, perf_counter=now, time=now))
        stack.enter_context(contextlib.redirect_stdout(output))
        with Progress(run["total"], unit="steps", title="busy") as progress:
            for index, (amount, seconds) in enumerate(run["updates"]):
                clock[0] += seconds
                progress.update(amount, **{"loss": run["loss"]} if index == 0 else {"step": index})
                statuses.append(numbers(progress.status()))
            if run["total"] is not None and run["total"] < 100:
                clock[0] += 1.0
                progress.update(run["total"] - sum(amount for amount, _ in run["updates"]), loss=2.0)
                statuses.append(numbers(progress.status()))
        with Progress(10):
            pass
        with Progress(10, seconds_between_lines=0.0) as progress:
            progress.update()
        clock[0] += 4000.0
        statuses.append(numbers(progress.status()))
    lines = output.getvalue().splitlines()
    named = [line.startswith("busy") for line in lines]
    return {"lines": [numbers(line) for line in lines], "named": named, "statuses": statuses}
