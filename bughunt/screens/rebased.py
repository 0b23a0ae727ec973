"""What became of patches that were refitted to a changed tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bughunt.screens.document import document
from bughunt.views import Code, Item, Text, View

if TYPE_CHECKING:
    from bughunt.author.rebase import Refitted


def rebased(results: Sequence[Refitted], repository: Path, *, dry_run: bool) -> list[View]:
    """Those that need a hand, each with its reason; then how many of each kind."""
    views: list[View] = []
    for one in results:
        if one.outcome == "needs a hand":
            where = f"{one.file}: {one.reason}" if one.file else one.reason
            views.append(Item(f"{_name(one, repository)} needs a hand", where, "bad"))
            views += [Code(one.hunk, "diff")] if one.hunk else []
        elif one.reason:
            views.append(Item(f"{_name(one, repository)} was refitted", one.reason, "warn"))
    counts = _counts(results)
    done = f"{counts['refitted']} {'would be refitted' if dry_run else 'refitted'}"
    open_ones = counts["needs a hand"]
    said = f"{counts['unchanged']} as they were, {done}, {open_ones} in need of a hand."
    return [*views, Text(said, "bad" if open_ones else "good")]


def rebased_document(results: Sequence[Refitted], repository: Path, *, dry_run: bool) -> dict[str, Any]:
    patches = [
        {
            "patch": _name(one, repository),
            "outcome": one.outcome,
            "reason": one.reason,
            "file": one.file,
            "hunk": one.hunk,
        }
        for one in results
    ]
    return document("rebase", {"dry_run": dry_run, "patches": patches})


def _counts(results: Sequence[Refitted]) -> dict[str, int]:
    kinds = ("unchanged", "refitted", "needs a hand")
    return {kind: sum(one.outcome == kind for one in results) for kind in kinds}


def _name(one: Refitted, repository: Path) -> str:
    return one.patch.relative_to(repository).as_posix()
