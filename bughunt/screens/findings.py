"""What the doctor found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bughunt.hunt.doctor import Finding, Step
from bughunt.screens.document import document
from bughunt.views import Item, Text, View


def step(one: Step) -> str:
    """What is being looked at, and how long the rest will take, as far as that is known."""
    left = "" if one.seconds_left is None else f" · about {max(1, round(one.seconds_left))} s left"
    return f"{one.number} of {one.of} · {one.what}{left}"


def finding(one: Finding) -> list[View]:
    """One thing looked at, as soon as it was."""
    line = f"{one.what}: {one.found}"
    return [Item(f"ok  {line}", tone="good") if one.well else Item(f"NO  {line}", one.remedy, "bad")]


def conclusion(found: Sequence[Finding]) -> list[View]:
    """The last line."""
    if all(one.well for one in found):
        return [Text("All is well: the game can be played here.", "good")]
    return [Text("Something is missing: see above.", "bad")]


def findings_document(found: Sequence[Finding]) -> dict[str, Any]:
    rows = [
        {"what": one.what, "well": one.well, "found": one.found, "remedy": "" if one.well else one.remedy}
        for one in found
    ]
    return document("doctor", {"well": all(one.well for one in found), "findings": rows})
