"""The measured cost of one bug, as it ships with the game: `cost.json` in the bug's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bughunt.errors import BughuntError
from bughunt.views import Plot, Series

FILE = "cost.json"


@dataclass(frozen=True)
class Figure:
    """One number of a run without the bug and of the same run with it. `format` is a format specification.

    None stands for a number that a run did not come to. `symptom` says that a player may see the figure while
    hunting: it shows what users notice, and nothing of the cause.
    """

    name: str
    clean: float | None
    bug: float | None
    format: str = ",.2f"
    symptom: bool = False

    @property
    def row(self) -> tuple[str, str, str]:
        """Its name, and both numbers as they are shown."""
        return self.name, self._shown(self.clean), self._shown(self.bug)

    def _shown(self, value: float | None) -> str:
        return "none" if value is None else format(value, self.format)


@dataclass(frozen=True)
class Cost:
    """What a bug cost. `commands` are those that were run in the tree; `machine` is where and with what."""

    figures: Sequence[Figure]
    plot: Plot | None
    commands: Sequence[str]
    machine: dict[str, str]


@cache
def load_cost(folder: Path) -> Cost | None:
    """The cost of the bug in `folder`, read once; None if it was not measured.

    Raises BughuntError for a faulty file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BughuntError(f"{path} cannot be read: {error}", "Install bughunt again.") from error


def save_cost(folder: Path, cost: Cost) -> Path:
    """Writes the cost of the bug in `folder`, its numbers rounded to what can be seen of them."""
    path = folder / FILE
    document = json.dumps(_rounded(asdict(cost)), indent=1, ensure_ascii=False)
    path.write_text(document + "\n", encoding="utf-8")
    load_cost.cache_clear()
    return path


def _read(data: dict[str, Any]) -> Cost:
    plot = data["plot"]
    if plot is not None:
        plot = Plot(**{**plot, "series": [Series(**one) for one in plot["series"]]})
    return Cost([Figure(**one) for one in data["figures"]], plot, data["commands"], data["machine"])


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(one) for one in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() else float(f"{value:.5g}")
    return value
