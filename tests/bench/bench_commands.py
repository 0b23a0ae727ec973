"""The commands against their budgets, as ratios measured in one run.

    python tests/bench/bench_commands.py            (with bughunt installed in this environment)

Light commands are compared with a Typer hello-world of two commands, a cold `check` with importing torch and
pytest. Each figure is the median of alternating runs, in CPU seconds of the process and its children: on a
shared machine that is steadier than the clock.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELLO = """\
import typer
app = typer.Typer()
@app.command()
def hello(): print("hello")
@app.command()
def goodbye(): print("goodbye")
app()
"""

# What the shell asks when somebody completes `bughunt hint 1.`
TAB = ("_BUGHUNT_COMPLETE=complete_bash", "COMP_WORDS=bughunt hint 1.", "COMP_CWORD=2")

ROUNDS = 11


def seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """(CPU seconds, wall-clock seconds) of one run."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, elapsed


def medians(commands: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, tuple[float, float]]:
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(seconds(command, folder))
    return {
        name: (statistics.median(cpu for cpu, _ in times), statistics.median(wall for _, wall in times))
        for name, times in runs.items()
    }


def main() -> None:
    bughunt = str(Path(sys.executable).with_name("bughunt"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hello.py").write_text(HELLO)
        print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, medians of {ROUNDS} runs\n")

        times = medians({"start": [bughunt, "start", "level1", "--fresh"]}, folder, 5)
        print(f"start LEVEL: {times['start'][1]:.2f} s by the clock (budget: under 1 s)\n")

        light = {
            "hello": [sys.executable, "hello.py", "hello"],
            **{name: [bughunt, name] for name in ("--help", "hint", "status", "levels")},
            "a Tab": ["env", *TAB, bughunt],
        }
        times = medians(light, folder, ROUNDS)
        print("light command   CPU s   ratio to the Typer hello-world (budget: 1.3)")
        for name, (cpu, _) in times.items():
            print(f"{name:14}  {cpu:.3f}   {cpu / times['hello'][0]:.2f}")

        print("\ncold check        wall s   budget: 1.5 × imports + 3 s")
        levels = ("level1", "level2", "level3")
        for level in levels:
            subprocess.run([bughunt, "start", level], cwd=folder, stdout=subprocess.DEVNULL, check=True)
            cold = {"import": [sys.executable, "-c", "import torch, pytest"], level: [bughunt, "check"]}
            times = medians(cold, folder, 5)
            imports, check = times["import"][1], times[level][1]
            print(f"{level:16}  {check:.2f}     {1.5 * imports + 3:.2f} (imports {imports:.2f})")


if __name__ == "__main__":
    main()
