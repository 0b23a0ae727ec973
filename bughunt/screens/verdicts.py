"""What a check says."""

from __future__ import annotations

from typing import Any

from bughunt.hunt.results import Checked
from bughunt.judge.verdict import Verdict
from bughunt.screens.document import document
from bughunt.screens.tones import VERDICT_TONES
from bughunt.views import Item, Text, View, quoted


def verdict(result: Verdict) -> list[View]:
    """One verdict, as it comes in."""
    views: list[View] = [Item(f"{result.bug}  {result.kind}", result.message, VERDICT_TONES[result.kind])]
    if result.detail:
        views.append(quoted(result.detail))
    return views


def check_summary(checked: Checked) -> list[View]:
    """The lines below the verdicts."""
    views: list[View] = [Text(f"{checked.fixed} of {len(checked.verdicts)} fixed.", "strong")]
    if checked.undecided:
        views.append(Text("The judge itself is in trouble: `bughunt doctor` looks into it.", "warn"))
    elif not checked.all_fixed:
        ids = " ".join(result.bug for result in checked.verdicts if result.kind != "fixed")
        views.append(Text(f"To repeat this very run: `bughunt check {ids} --seed {checked.seed}`", "dim"))
    return views


def check_document(checked: Checked) -> dict[str, Any]:
    return document(
        "check",
        {
            "level": checked.level.id,
            "verdicts": [
                {
                    "bug": one.bug,
                    "verdict": one.kind,
                    "message": one.message,
                    "detail": one.detail,
                    "seconds": round(one.seconds, 3),
                }
                for one in checked.verdicts
            ],
            "fixed": checked.fixed,
            "total": len(checked.verdicts),
            "completed": checked.completed,
            "seed": checked.seed,
        },
    )
