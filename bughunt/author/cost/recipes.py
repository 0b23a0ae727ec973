"""What is run, and looked at, to tell what each bug costs.

Every comparison is of two runs with the same flags: those of the tree's own speedrun, and some beside them
that make a run shorter or a bug's part in it larger. `RECIPES` has a function for each bug.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from bughunt.author.cost.workshop import Workshop
from bughunt.content.catalog import Bug
from bughunt.content.cost_record import Cost, Figure, curve
from bughunt.views import Plot, Series

S = TypeVar("S")
T = TypeVar("T")

Points = list[tuple[float, float]]
Bases = tuple[Path, Path]
Pair = tuple[float, float]

# Fine-tuning is the long stage; a third of it is enough to see what becomes of the answers.
_SHORT_TUNING = "--num-iterations 300 --total-batch-size 64 --device-batch-size 16"
_PROBLEMS = 100
_SUITES = ("arithmetic", "spelling", "letter counts")


class Bench:
    """One bug's runs beside healthy ones: each method returns both, the healthy one first."""

    def __init__(self, workshop: Workshop, bug: Bug) -> None:
        self.workshop = workshop
        self.bug = bug
        self.commands: list[str] = []
        self._start = workshop.base("clean")

    def pretrained(self, flags: str = "", *, may_fail: bool = False) -> Bases:
        """The base folders of two pretrainings, `base` in each."""
        recipe = self.workshop.inside(None, self._start, "recipe")["pretraining"]
        command = f"scripts.base_train {recipe} --eval-every 20 {flags}".strip()
        name = "pretraining" + "-".join(["", *flags.replace("--", "").split()])
        return self._trained(name, command, ("tokenizer",), may_fail=may_fail)

    def tuned(self) -> Bases:
        """The base folders of two fine-tunings of the healthy pretrained model, `sft` in each."""
        return self._trained("tuning", f"scripts.chat_sft {_SHORT_TUNING}", ("tokenizer", "base"))

    def finished(self) -> Bases:
        """The base folders of two copies of the speedrun's finished model, `sft` in each."""
        self._speedrun()
        self._note("scripts.speedrun")
        return self._bases("finished", ("tokenizer", "sft"))

    def answers(self, bases: Bases, suites: Sequence[str] = _SUITES) -> list[Figure]:
        """How many questions of each suite the models answer right, and how many turns are malformed."""
        command = f"scripts.chat_eval --max-problems {_PROBLEMS}"
        self._note(command)
        results = []
        for base, bug in zip(bases, (None, self.bug), strict=True):
            self.workshop.script(bug, base, command)
            found = json.loads((base / "sft/chat_eval.json").read_text(encoding="utf-8"))["suites"]
            results.append({suite["name"]: suite for suite in found})

        def share(key: str, names: Sequence[str]) -> list[float]:
            return [
                sum(found[name][key] for name in names) / sum(found[name]["total"] for name in names)
                for found in results
            ]

        figures = [
            figure(f"{name} questions answered right", share("correct", [name]), ".0%", symptom=True)
            for name in suites
        ]
        malformed = figure(
            "malformed turns, of all suites", share("malformed", list(results[0])), ".0%", symptom=True
        )
        return [*figures, malformed]

    def ask(
        self, bases: Bases, question: str, *, own_tree: bool = False, **arguments: Any
    ) -> tuple[Any, Any]:
        """What `inside.py` answers about both runs, by the clean tree or (`own_tree`) by each run's own."""
        clean, broken = bases
        return (
            self.workshop.inside(None, clean, question, **arguments),
            self.workshop.inside(self.bug if own_tree else None, broken, question, **arguments),
        )

    def bits_per_byte(self, bases: Bases) -> Pair:
        """Of the held-out text that training reports on, as the clean tree measures them."""

        def measured(base: Path) -> float:
            command = "scripts.base_eval --eval-tokens 32768 --max-tokens 1"
            output = self.workshop.script(None, base, command).output
            line = next(line for line in output.splitlines() if line.strip().startswith("val:"))
            return float(line.split()[1])

        return both(measured, bases)

    def cost(self, figures: Sequence[Figure], plot: Plot | None = None) -> Cost:
        commands = [f"python -m {command}" for command in self.commands]
        return Cost(figures, plot, commands, {})

    def _speedrun(self) -> None:
        self.workshop.script(None, self._start, "scripts.speedrun")

    def _trained(self, name: str, command: str, parts: Sequence[str], *, may_fail: bool = False) -> Bases:
        self._speedrun()
        self._note(command)
        bases = self._bases(name, parts)
        for base, bug in zip(bases, (None, self.bug), strict=True):
            self.workshop.script(bug, base, f"{command} --resume", may_fail=may_fail)
        return bases

    def _bases(self, name: str, parts: Sequence[str]) -> Bases:
        return (
            self.workshop.base(f"clean-{name}", self._start, parts),
            self.workshop.base(f"{self.bug.id}-{name}", self._start, parts),
        )

    def _note(self, command: str) -> None:
        if command not in self.commands:
            self.commands.append(command)


def document_starts(bench: Bench) -> Cost:
    """1.1: without <|bos|> a model never learns how a text begins."""
    bases = bench.pretrained()
    opening = bench.ask(bases, "opening_bits", tokens=16, documents=512)
    return bench.cost(
        [
            figure("bits per byte, first 16 tokens of held-out documents", opening),
            figure("bits per byte, all of the held-out text", bench.bits_per_byte(bases)),
        ],
        losses(bases),
    )


def batch_memory(bench: Bench) -> Cost:
    """1.2: the same training, with inputs of twice the size."""
    bases = bench.pretrained()
    size = bench.ask(bases, "input_bytes", own_tree=True, rows=8, length=256)
    return bench.cost(
        [
            figure("bytes of a batch's inputs, 8 rows of 256 tokens", size, ",.0f"),
            figure("bits per byte of held-out text", bench.bits_per_byte(bases)),
        ]
    )


def too_good(bench: Bench) -> Cost:
    """1.3: a loss of almost nothing, and a model that has learnt nothing."""
    bases = bench.pretrained()
    runs = both(metrics, bases)
    return bench.cost(
        [
            figure("bits per byte of held-out text, truly", bench.bits_per_byte(bases), symptom=True),
            figure("bits per byte of held-out text, as reported", both(last("val_bpb"), runs), ",.4f"),
            figure("training loss at the end, as reported", both(last("loss"), runs), ",.4f"),
        ],
        losses(bases, log_y=True),
    )


def two_machines(bench: Bench) -> Cost:
    """2.1: the gradient grows with the number of micro-batches; the optimizers hide it."""
    bases = bench.pretrained("--device-batch-size 2")
    runs = both(metrics, bases)
    norms = both(lambda run: statistics.median(record["grad_norm"] for record in run), runs)
    clipped = both(lambda run: statistics.fmean(record["clipped"] for record in run), runs)
    return bench.cost(
        [
            figure("gradient norm before clipping, median", norms),
            figure("steps in which clipping bites", clipped, ".0%"),
            figure("bits per byte of held-out text", both(last("val_bpb"), runs), ",.3f"),
        ],
        plot(bases, "grad_norm", "Gradient norm before clipping, 8 micro-batches", "norm", log_y=True),
    )


def standing_still(bench: Bench) -> Cost:
    """2.2: nothing is learnt while the learning rate warms up, here for a quarter of the steps."""
    bases = bench.pretrained("--warmup-ratio 0.25")
    runs = both(metrics, bases)
    steps = len(runs[0])
    warm_up = steps // 4
    after = both(lambda run: float(run[warm_up - 1]["loss"]), runs)
    return bench.cost(
        [
            figure(f"training loss after {warm_up} of {steps} steps", after, symptom=True),
            figure("bits per byte of held-out text, at the end", both(last("val_bpb"), runs), symptom=True),
        ],
        losses(bases),
    )


def knobs(bench: Bench) -> Cost:
    """2.3: a loss that falls, and ends too high."""
    bases = bench.pretrained()
    runs = both(metrics, bases)
    return bench.cost(
        [
            figure("training loss, mean of the last 20 steps", both(tail_loss, runs), symptom=True),
            figure("bits per byte of held-out text", both(last("val_bpb"), runs), symptom=True),
        ],
        losses(bases),
    )


def role_play(bench: Bench) -> Cost:
    """2.4: a loss that falls as well as any, and no answers."""
    bases = bench.tuned()
    loss = both(tail_loss, both(partial(metrics, name="sft"), bases))
    return bench.cost(
        [*bench.answers(bases), figure("fine-tuning loss, mean of the last 20 steps", loss)],
        losses(bases, "sft"),
    )


def far_apart(bench: Bench) -> Cost:
    """3.1: the recipe is too small to feel it; the angles show it."""
    length, edges = 1024, [0, 64, 256, 1024]
    bases = bench.pretrained(f"--sequence-len {length} --device-batch-size 2")
    turn = bench.ask(bases, "slowest_turn", own_tree=True)
    bits = bench.ask(bases, "bits_by_position", own_tree=True, length=length, rows=64, edges=edges)
    by_position = [
        figure(f"bits per token, positions {start} to {end - 1}", pair)
        for (start, end), *pair in zip(pairwise(edges), *bits, strict=True)
    ]
    total = both(last("val_bpb"), both(metrics, bases))
    return bench.cost(
        [
            figure("positions until the slowest channels repeat", turn, ",.0f"),
            *by_position,
            figure("bits per byte of held-out text", total),
        ],
        losses(bases),
    )


def drifting_answers(bench: Bench) -> Cost:
    """3.2: a good model that answers as if it were a bad one."""
    return bench.cost(bench.answers(bench.finished()))


def shape_error(bench: Bench) -> Cost:
    """3.3: no run at all with fewer key/value heads."""
    bases = bench.pretrained("--n-kv-head 2 --num-iterations 20", may_fail=True)
    steps = both(len, both(metrics, bases))
    return bench.cost([figure("steps made of 20, with 4 query heads and 2 key/value heads", steps, ",.0f")])


def swelling_memory(bench: Bench) -> Cost:
    """3.4: memory that grows by far more than the conversation does, and stays."""
    found = bench.ask(bench.finished(), "cache_bytes", own_tree=True, tokens=8192, turn=64)
    held = both(lambda one: [(x, y / 1e6) for x, y in one["points"]], found)
    return bench.cost(
        [
            figure(f"megabytes held after {held[0][-1][0]:,} tokens", both(lambda one: one[-1][1], held)),
            figure("megabytes held after the conversation", both(lambda one: one["after"] / 1e6, found)),
        ],
        pair_plot(held, "Memory of the cache", "tokens", "megabytes"),
    )


def muddled_tools(bench: Bench) -> Cost:
    """3.5: a calculator that is called as before, and whose answers are not understood."""
    return bench.cost(bench.answers(bench.finished(), ("arithmetic", "arithmetic, new phrasings")))


RECIPES: dict[str, Callable[[Bench], Cost]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        *(document_starts, batch_memory, too_good),
        *(two_machines, standing_still, knobs, role_play),
        *(far_apart, drifting_answers, shape_error, swelling_memory, muddled_tools),
    )
}


def both(function: Callable[[S], T], pair: tuple[S, S]) -> tuple[T, T]:
    """The function of each of the two."""
    return function(pair[0]), function(pair[1])


def figure(name: str, pair: Sequence[float], format: str = ",.3f", *, symptom: bool = False) -> Figure:
    """A figure of a healthy run and of one with the bug."""
    clean, bug = pair
    return Figure(name, clean, bug, format, symptom)


def metrics(base: Path, name: str = "base") -> list[dict[str, Any]]:
    """The metrics of a run, a record for each step; none where it came to none."""
    path = base / name / "metrics.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def last(key: str) -> Callable[[list[dict[str, Any]]], float]:
    """Finds the last value of a metric in a run."""
    return lambda run: next(float(record[key]) for record in reversed(run) if key in record)


def tail_loss(run: list[dict[str, Any]]) -> float:
    """The mean training loss of the last steps."""
    return statistics.fmean(record["loss"] for record in run[-20:])


def losses(bases: Bases, name: str = "base", *, log_y: bool = False) -> Plot:
    return plot(bases, "loss", "Training loss", "nats per token", name=name, log_y=log_y)


def plot(
    bases: Bases, key: str, title: str, y_label: str, *, name: str = "base", log_y: bool = False
) -> Plot:
    """A metric over the steps of two runs."""

    def points(base: Path) -> Points:
        return [(float(record["step"] + 1), float(record[key])) for record in metrics(base, name)]

    return pair_plot(both(points, bases), title, "step", y_label, log_y=log_y)


def pair_plot(
    points: tuple[Points, Points], title: str, x_label: str, y_label: str, *, log_y: bool = False
) -> Plot:
    """Two curves; with `log_y` what has no logarithm is left out."""

    def shown(name: str, one: Points) -> Series:
        return curve(name, [(x, y) for x, y in one if y > 0 or not log_y])

    clean, bug = points
    series = [shown("without the bug", clean), shown("with the bug", bug)]
    return Plot(title, series, x_label, y_label, log_y)
