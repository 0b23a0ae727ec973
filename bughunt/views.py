"""What a screen is made of: plain records that say what to show, and nothing of how.

Probes return them, commands return them, and `bughunt.render` draws them: as Rich in a terminal, as
plain text in a pipe, as JSON for machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Tone = Literal["plain", "good", "bad", "warn", "dim", "strong"]


@dataclass(frozen=True)
class Text:
    """A paragraph, or several with empty lines between them. Wrapped to the width of the terminal."""

    text: str
    tone: Tone = "plain"
    indent: int = 0


@dataclass(frozen=True)
class Item:
    """A line that stands out and is never wrapped (it may hold a path), and what belongs to it, indented."""

    lead: str
    text: str = ""
    tone: Tone = "strong"


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells. A cell is shown as `str(cell)`; `tones` colours whole rows by their index."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    title: str = ""
    tones: dict[int, Tone] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """A named curve: `x` and `y` of equal length."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Plot:
    """One or more curves over a common pair of axes."""

    title: str
    series: Sequence[Series]
    x_label: str = ""
    y_label: str = ""
    log_y: bool = False


@dataclass(frozen=True)
class Tokens:
    """A run of decoded tokens, each marked or not (`marks[i]`); the legend says what a mark means."""

    title: str
    tokens: Sequence[str]
    marks: Sequence[bool]
    legend: str


@dataclass(frozen=True)
class Code:
    """Verbatim text: a diff, a traceback, a command."""

    text: str
    language: Literal["diff", "text"] = "text"


def quoted(text: str) -> Code:
    """What measured code raised or printed, as a quotation: no line of it passes for one of the game's."""
    return Code("\n".join(f"  | {line}".rstrip() for line in text.split("\n")))


View = Text | Item | Heading | Table | Plot | Tokens | Code


def to_json(view: View) -> dict[str, Any]:
    """The view as JSON-ready data, tagged with its kind."""
    data = asdict(view)
    for matter_of_looks in ("tone", "tones", "indent"):
        data.pop(matter_of_looks, None)
    return {"kind": type(view).__name__.lower(), **data}
