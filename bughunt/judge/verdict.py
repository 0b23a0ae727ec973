"""What the judge says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# What is said of code that passes by what is not its own.
BORROWED = (
    "The code used files of the game itself, such as the clean code: only the workspace's own code counts."
)

VerdictKind = Literal["fixed", "broken", "crashed", "unknown"]


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one bug. `elsewhere`: it is fixed, with the defect itself untouched."""

    bug: str
    kind: VerdictKind
    message: str = ""
    detail: str = ""
    seconds: float = 0.0
    elsewhere: bool = False
