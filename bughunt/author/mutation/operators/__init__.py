"""The operators: each makes one kind of mistake, wherever a node of a file lets it be made.

They stand in a fixed order: of two that make the same change the first has made it.
"""

from __future__ import annotations

from bughunt.author.mutation.operators import (
    arithmetic,
    calls,
    conditions,
    constants,
    indexing,
    names,
    statements,
    wholes,
)
from bughunt.author.mutation.operators.registry import Operator

OPERATORS: tuple[Operator, ...] = tuple(
    one
    for module in (conditions, indexing, constants, arithmetic, calls, statements, wholes, names)
    for one in module.OPERATORS
)
