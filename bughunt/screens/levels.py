"""What there is to play."""

from __future__ import annotations

from typing import Any

from bughunt.content.catalog import Catalog
from bughunt.hunt.state import State
from bughunt.screens.document import document
from bughunt.screens.status import fixed_count
from bughunt.views import Table, Text, View


def levels(catalog: Catalog, state: State) -> list[View]:
    """Every level, and how much of it is fixed."""
    rows = []
    for level in catalog.levels:
        count = fixed_count(level, state)
        fixed = f"{count['fixed']}/{count['total']}"
        rows.append((level.id, level.name, ", ".join(level.topics), f"{level.minutes} min", fixed))
    return [
        Table(("level", "name", "about", "time", "fixed"), rows),
        Text("`bughunt start LEVEL` plays one, by its id or its name.", "dim"),
    ]


def levels_document(catalog: Catalog, state: State) -> dict[str, Any]:
    return document(
        "levels",
        {
            "levels": [
                {
                    "level": level.id,
                    "name": level.name,
                    "title": level.title,
                    "topics": list(level.topics),
                    "minutes": level.minutes,
                    "started": level.id in state.levels,
                    **fixed_count(level, state),
                }
                for level in catalog.levels
            ]
        },
    )
