"""Training and encoding side by side: this repository's rustbpe, the published one, tokenizers and tiktoken.

    python tests/bench/bench_rustbpe.py                          # 50 MB, two threads, 4,096 and 32,768 tokens
    python tests/bench/bench_rustbpe.py --megabytes 5 50 500 --only ours --no-encode

Run it where this repository's rustbpe is installed. The others are installed into virtual environments of
their own below --environments, once. The corpus is text of this machine, cut into documents of 1 to 5 KB.
Rounds take turns, so that whatever else the machine does falls on all alike; the best round of each counts.
Peak memory is measured in a run of its own that streams the documents from a file.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

import rustbpe_corpus

WORKER = Path(__file__).with_name("rustbpe_worker.py")
PACKAGES = {"published": "rustbpe==0.1.0", "tokenizers": "tokenizers", "tiktoken": "tiktoken"}

Result = dict[str, float]


def python_with(package: str, environments: Path) -> Path:
    """The interpreter of a virtual environment that has `package`."""
    folder = environments / package.replace("==", "-")
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
    return python


def run_worker(python: Path, name: str, task: str, *arguments: object) -> Result:
    """What one worker process reports."""
    command = [python, WORKER, name, task, *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def best_of(rounds: int, names: list[str], run: Callable[[str], Result]) -> dict[str, Result]:
    """The fastest of each one's runs, taken in turns."""
    results: dict[str, list[Result]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            results[name].append(run(name))
    return {name: min(runs, key=lambda result: result["seconds"]) for name, runs in results.items()}


def print_table(title: str, megabytes: float, results: dict[str, Result], peaks: dict[str, float]) -> None:
    ours = results["ours"]
    print(f"\n{title}\n\n| | seconds | MB/s | times ours | peak memory | result |\n|---|---|---|---|---|---|")
    for name, result in results.items():
        seconds = result["seconds"]
        cells = [
            name,
            f"{seconds:.2f}",
            f"{megabytes / seconds:.1f}",
            f"{seconds / ours['seconds']:.1f}",
            f"{peaks[name] / 1e6:.0f} MB" if name in peaks else "",
            "same" if result["digest"] == ours["digest"] else "differs",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, nargs="+", default=[50])
    parser.add_argument("--vocab-size", type=int, nargs="+", default=[4096, 32768])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", type=Path, nargs="+", help="folders to take text from")
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "rustbpe-bench")
    parser.add_argument("--only", choices=["ours", *PACKAGES], nargs="+", default=["ours", *PACKAGES])
    parser.add_argument("--no-encode", action="store_true", help="measure training only")
    options = parser.parse_args()

    pythons = {"ours": Path(sys.executable)} | {
        name: python_with(package, options.environments)
        for name, package in PACKAGES.items()
        if name in options.only
    }
    trainers = [name for name in pythons if name != "tiktoken"]
    encoders = [name for name in pythons if name in ("ours", "tiktoken")]
    with tempfile.TemporaryDirectory() as folder:
        corpus, ranks = Path(folder) / "corpus", Path(folder) / "ranks.json"
        for megabytes in options.megabytes:
            rustbpe_corpus.write(corpus, megabytes, options.text)
            for vocab_size in options.vocab_size:

                def run(name: str, task: str, threads: int, vocab_size: int = vocab_size) -> Result:
                    return run_worker(pythons[name], name, task, corpus, vocab_size, threads, ranks)

                what = f"{megabytes:g} MB, vocabulary {vocab_size:,}"
                peaks = {name: run(name, "train-streaming", options.threads)["peak"] for name in trainers}
                times = best_of(options.rounds, trainers, lambda name: run(name, "train", options.threads))
                print_table(f"Training: {what}, {options.threads} threads", megabytes, times, peaks)
                for threads in [] if options.no_encode else dict.fromkeys([1, options.threads]):
                    times = best_of(
                        options.rounds, encoders, lambda name, threads=threads: run(name, "encode", threads)
                    )
                    print_table(f"Encoding: {what}, {threads} threads", megabytes, times, {})


if __name__ == "__main__":
    main()
