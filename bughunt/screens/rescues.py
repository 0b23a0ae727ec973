"""Resets, and what they set aside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.hunt.results import Reset, Restored
from bughunt.screens.document import document
from bughunt.views import Item, Table, Text, View

if TYPE_CHECKING:
    from bughunt.workspace.rescue import Rescue


def reset_warning(plan: Reset) -> list[View]:
    """What the player should know before a reset happens."""
    if not plan.reopened or plan.bug is None:
        return []
    others = " and ".join(plan.reopened)
    return [
        Text(f"This reopens {others}, too: its code is in the same file as that of {plan.bug.id}.", "warn")
    ]


def reset_done(result: Reset) -> list[View]:
    """What a reset did."""
    what = f"The files of {result.bug.id} are" if result.bug else f"{result.level.id} is"
    return [Text(f"{what} back at the start of the level.", "good"), *rescued(result.rescue)]


def reset_document(result: Reset) -> dict[str, Any]:
    return document(
        "reset",
        {
            "level": result.level.id,
            "bug": result.bug.id if result.bug else None,
            "reopened": list(result.reopened),
            "set_aside": result.rescue.card() if result.rescue else None,
        },
    )


def rescued(rescue: Rescue | None) -> list[View]:
    """Where the player's edits are, and how they come back."""
    if rescue is None:
        return []
    return [
        Item(f"Your edits are kept in {rescue.folder}", f"`bughunt restore {rescue.id}` brings them back.")
    ]


def restored(result: Restored) -> list[View]:
    """What a restore brought back."""
    rescue = result.rescue
    are = " is" if len(rescue.files) == 1 else " are"
    what = f"{rescue.level} is" if rescue.whole else ", ".join(rescue.files) + are
    said = f"{what} as kept on {rescue.made} ({rescue.reason})."
    return [Text(said, "good"), *rescued(result.overwritten)]


def restored_document(result: Restored) -> dict[str, Any]:
    overwritten = result.overwritten
    return document(
        "restore",
        {"restored": result.rescue.card(), "set_aside": overwritten.card() if overwritten else None},
    )


def rescues(found: Iterable[Rescue], unreadable: Iterable[Path] = ()) -> list[View]:
    """Every rescue, the newest first; then those whose card cannot be read."""
    damaged: list[View] = [
        Item(f"{folder.name} cannot be read", f"The files that it kept are in {folder / 'files'}", "warn")
        for folder in unreadable
    ]
    rows = [
        (rescue.id, rescue.reason, "all" if rescue.whole else "part", len(rescue.files))
        for rescue in sorted(found, key=lambda rescue: rescue.id, reverse=True)
    ]
    if not rows:
        return damaged or [Text("Nothing has been set aside in this hunt.")]
    return [
        Table(("rescue", "made by", "of the workspace", "files"), rows),
        *damaged,
        Text("`bughunt restore RESCUE` brings one back; without a name, the newest.", "dim"),
    ]


def rescues_document(found: Iterable[Rescue], unreadable: Iterable[Path] = ()) -> dict[str, Any]:
    cards = [rescue.card() for rescue in found]
    return document("rescues", {"rescues": cards, "unreadable": [str(folder) for folder in unreadable]})
