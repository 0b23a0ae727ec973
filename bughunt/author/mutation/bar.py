"""A progress bar for whoever looks at a terminal."""

from __future__ import annotations

import sys
from collections import Counter
from types import TracebackType
from typing import Any


class ProgressBar:
    """How many are done of how many, what came of them, and how long the rest will take. Nothing is shown
    in a pipe."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> ProgressBar:
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            self._bar = progress.Progress(
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TextColumn("{task.fields[outcomes]}"),
                progress.TimeRemainingColumn(),
                progress.TextColumn("left"),
                console=Console(file=sys.stderr),
                transient=True,
                speed_estimate_period=300,
            )
            self._bar.start()
        return self

    def begin(self, title: str, total: int) -> None:
        self._counts.clear()
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(title, total=total, outcomes="")

    def done(self, outcome: str) -> None:
        self._counts[outcome] += 1
        if self._bar is not None:
            outcomes = ", ".join(f"{count} {name}" for name, count in self._counts.items() if name)
            self._bar.update(self._task, advance=1, outcomes=outcomes)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
