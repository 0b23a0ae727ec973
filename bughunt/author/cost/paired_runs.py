"""Runs of the tree's own recipe in pairs: one without a bug and one with it, with the same flags.

The flags are those of the tree's speedrun, and some beside them that make a run shorter or the bug's part in
it larger.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bughunt.author.cost.figures import Bases, Pair, both, figure
from bughunt.author.cost.workshop import Workshop
from bughunt.content.cost_record import Cost, Figure
from bughunt.content.level import Bug
from bughunt.views import Plot

# Fine-tuning is the long stage; a third of it is enough to see what becomes of the answers.
_SHORT_TUNING = "--num-iterations 300 --total-batch-size 64 --device-batch-size 16"
_PROBLEMS = 100
_SUITES = ("arithmetic", "spelling", "letter counts")


class PairedRuns:
    """One bug's runs beside healthy ones: each method returns both, the healthy one first."""

    def __init__(self, workshop: Workshop, bug: Bug) -> None:
        self.workshop = workshop
        self.bug = bug
        self.commands: list[str] = []
        self._start = workshop.speedrun()

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
        """The figures and the curves, with the commands that they came from."""
        commands = [f"python -m {command}" for command in self.commands]
        return Cost(figures, plot, commands, {})

    def _trained(self, name: str, command: str, parts: Sequence[str], *, may_fail: bool = False) -> Bases:
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
