"""From a measurement to what a probe shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any
from unicodedata import category

from bughunt.content.cost_record import load_cost
from bughunt.content.level import Bug
from bughunt.loading import load_module
from bughunt.measure.outcomes import Failure, Outcome
from bughunt.render.plain import draw
from bughunt.screens.document import document
from bughunt.views import Table, Text, View, quoted, to_json

_A_WIDTH = 80
_LONGEST = 10_000


@dataclass(frozen=True)
class Probed:
    """Views of a measurement, or why there are none."""

    views: Sequence[View] = ()
    failure: Failure | None = None


class Prober:
    """A bug's probe and its figures of whole runs, both read here: before any code of a workspace runs.

    What keeps them from being read is raised when they are asked for.
    """

    def __init__(self, bug: Bug) -> None:
        self._fault: Exception | None = None
        try:
            self._module = load_module(str(bug.probe), f"bughunt_probe_{bug.id.replace('.', '_')}")
            self._whole_run = whole_run(bug)
        except Exception as error:
            self._fault = error

    def probed(self, inputs: Any, outcome: Outcome) -> Probed:
        """Lets the probe draw a measurement."""
        if self._fault is not None:
            raise self._fault
        if isinstance(outcome, Failure):
            return Probed(failure=outcome)
        try:
            views = [_without_controls(view) for view in self._module.view(inputs, outcome.data)]
            # What cannot be drawn is found out here.
            draw(views, _A_WIDTH)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError):
            return Probed(failure=Failure("What the code returned is not of a kind that can be shown."))
        return Probed([*views, *self._whole_run])


def _without_controls(shown: Any) -> Any:
    """A view, or a part of one, whose texts steer no terminal, and end: they are of the code's making."""
    if isinstance(shown, str):
        kept = shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "…"
        return "".join(c if c.isprintable() or c in "\n\t" or category(c) == "Zs" else "\ufffd" for c in kept)
    if isinstance(shown, list | tuple):
        return type(shown)(_without_controls(one) for one in shown)
    if is_dataclass(shown) and not isinstance(shown, type):
        fields_ = {field.name: _without_controls(getattr(shown, field.name)) for field in fields(shown)}
        return replace(shown, **fields_)
    return shown


def probe_failed(bug: Bug, failure: Failure) -> list[View]:
    """Why there is nothing to show."""
    views: list[View] = [Text(f"{bug.id} could not be measured. {failure.message}", "bad")]
    if failure.detail:
        views.append(quoted(failure.detail))
    return views


def probe_document(bug: Bug, seed: int, found: Probed) -> dict[str, Any]:
    failure = found.failure
    return document(
        "probe",
        {
            "bug": bug.id,
            "seed": seed,
            "failure": {"message": failure.message, "detail": failure.detail} if failure else None,
            "views": [to_json(view) for view in found.views],
        },
    )


def no_probe_document() -> dict[str, Any]:
    """The same when every bug of the level is fixed."""
    return document("probe", {"bug": None, "seed": None, "failure": None, "views": []})


def whole_run(bug: Bug) -> list[View]:
    """What users of code with this bug noticed over a whole run: symptoms, measured beforehand."""
    measured = load_cost(bug.folder)
    rows = [figure.row for figure in (measured.figures if measured else ()) if figure.symptom]
    if not rows:
        return []
    columns = ("a whole run, measured elsewhere", "healthy code", "code with this bug")
    return [Table(columns, rows)]
