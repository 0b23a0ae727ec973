"""The contract, as its authors see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bughunt.content.breaks import Breaks
from bughunt.screens.document import document
from bughunt.views import Item, Table, Text, View

if TYPE_CHECKING:
    from bughunt.author.contract.asking import Asked
    from bughunt.author.contract.breaking import Findings


def asked(found: Sequence[Asked], seed: int) -> list[View]:
    """What a tree breaks."""
    broken = [one for one in found if one.message]
    views: list[View] = [
        Item(f"{one.clause.slug}: {one.clause.card.title}", one.message, "bad") for one in broken
    ]
    kept = f"{len(found) - len(broken)} of {len(found)} clauses kept."
    return [*views, Text(kept, "strong"), Text(f"To repeat this very run: --seed {seed}", "dim")]


def asked_document(found: Sequence[Asked], seed: int) -> dict[str, Any]:
    clauses = [
        {
            "clause": one.clause.slug,
            "part": one.clause.card.part,
            "kept": not one.message,
            "message": one.message,
        }
        for one in found
    ]
    return document("contract", {"clauses": clauses, "seed": seed})


def breaks(found: Findings) -> list[View]:
    """What was measured of the contract."""
    rows = [
        (name, ", ".join(slugs))
        for name, slugs in (*found.breaks.bugs.items(), *found.breaks.patches.items())
    ]
    far = sorted(found.furthest.items(), key=lambda one: -one[1])[:10]
    return [
        Table(("bug or repair", "breaks"), rows),
        Table(("clause", "tolerances away, at most"), [(slug, f"{most:.3g}") for slug, most in far]),
        *(Item("Must not be:", fault, "bad") for fault in found.faults),
        Text(f"{len(found.breaks.touches)} clauses measured, {len(found.faults)} faults.", "strong"),
    ]


def breaks_document(found: Findings) -> dict[str, Any]:
    return document(
        "breaks",
        {
            "bugs": {name: list(slugs) for name, slugs in found.breaks.bugs.items()},
            "patches": {name: list(slugs) for name, slugs in found.breaks.patches.items()},
            "furthest": found.furthest,
            "faults": found.faults,
        },
    )


def stale(known: Breaks, measured: Breaks) -> Iterator[str]:
    """What `breaks.json` says that is not so."""
    for what in ("tree", "touches", "bugs", "patches"):
        said, seen = getattr(known, what), getattr(measured, what)
        yield from (f"{what}, {key}" for key in {**said, **seen} if said.get(key) != seen.get(key))
