"""What a check says of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class CheckResult:
    """`passed`; `failed`, by an assertion whose message is `message`; or `error`, by anything else."""

    kind: Literal["passed", "failed", "error"]
    message: str = ""
