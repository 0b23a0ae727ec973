"""Whether a call is refused, and with which kind of error: not with which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# The kinds of error that the tree promises; any other goes by its own name.
PROMISED = ("UserError", "ValueError", "TypeError")


def refusal(function: Callable[..., Any], *arguments: Any, **options: Any) -> str | None:
    """The promised kind of error that the call raises, subclasses included; None when it goes through."""
    try:
        function(*arguments, **options)
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        return next((kind for kind in kinds if kind in PROMISED), kinds[0])
    return None
