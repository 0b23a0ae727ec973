"""What a check says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bughunt.hunt.rest import Rest
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


def rest(found: Rest) -> list[View]:
    """What became of all that must still hold besides."""
    if found.trouble:
        return [Item("the rest: unknown", found.trouble, VERDICT_TONES["unknown"])]
    if not found.regressions:
        return [Text("the rest: as it was")]
    # Code that cannot be imported breaks all of it by the same fault.
    alike: dict[str, list[str]] = {}
    for one in found.regressions:
        alike.setdefault(one.message, []).append(one.title)
    views: list[View] = [
        Item(f"no longer as it was: {titles[0]}{_and_more(titles)}", message, "bad")
        for message, titles in alike.items()
    ]
    if found.others:
        what = "thing does" if found.others == 1 else "things do"
        views.append(Text(f"{found.others} more {what} not seem to be as before.", "bad"))
    return views


def _and_more(titles: Sequence[str]) -> str:
    return f", and {len(titles) - 1} more" if len(titles) > 1 else ""


def check_summary(checked: Checked) -> list[View]:
    """The lines below the verdicts."""
    views: list[View] = [
        *rest(checked.rest),
        Text(f"{checked.fixed} of {len(checked.verdicts)} fixed.", "strong"),
    ]
    if checked.undecided:
        views.append(Text("The judge itself is in trouble: `bughunt doctor` looks into it.", "warn"))
    elif not checked.all_well:
        ids = " ".join(result.bug for result in checked.verdicts if result.kind != "fixed")
        ids = ids or " ".join(result.bug for result in checked.verdicts)
        views.append(Text(f"To repeat this very run: `bughunt check {ids} --seed {checked.seed}`", "dim"))
    return views


def _rest_kind(found: Rest) -> str:
    if found.trouble:
        return "unknown"
    return "broken" if found.regressions else "as it was"


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
            "rest": _rest_kind(checked.rest),
            "regressions": [
                {"clause": one.clause, "title": one.title, "message": one.message}
                for one in checked.rest.regressions
            ],
            "completed": checked.completed,
            "seed": checked.seed,
        },
    )
