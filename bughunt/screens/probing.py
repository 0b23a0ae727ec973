"""From a measurement to what a probe shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bughunt.content.catalog import Bug
from bughunt.hunt.hunt import Hunt
from bughunt.loading import load_module
from bughunt.measure.outcomes import Failure, Outcome
from bughunt.screens import whole_run
from bughunt.views import View


@dataclass(frozen=True)
class Probed:
    """Views of a measurement, or why there are none."""

    views: Sequence[View] = ()
    failure: Failure | None = None


def probe_views(hunt: Hunt, bug: Bug, seed: int) -> Probed:
    """Measures the workspace and lets the bug's probe draw what came out."""
    return views_of(bug, *hunt.probe(bug, seed))


def views_of(bug: Bug, inputs: Any, outcome: Outcome) -> Probed:
    """Lets the bug's probe draw a measurement."""
    if isinstance(outcome, Failure):
        return Probed(failure=outcome)
    module = load_module(str(bug.probe), f"bughunt_probe_{bug.id.replace('.', '_')}")
    try:
        return Probed([*module.view(inputs, outcome.data), *whole_run(bug)])
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return Probed(failure=Failure("What the code returned is not of a kind that can be shown."))
