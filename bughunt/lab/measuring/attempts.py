"""Errors of the measured code as data, for a measurement to go on after them and a check to judge them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MOST_CHARACTERS = 300


def describe_error(error: BaseException) -> str:
    """An error as "TypeError: message", with the first line of its message, 300 characters at most."""
    first_line = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {' '.join(first_line.split())}"[:_MOST_CHARACTERS]


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the function returns; {"error": "TypeError: message"} when it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return {"error": describe_error(error)}


def trouble(function: Callable[..., object], *arguments: Any) -> str | None:
    """Why the function fails, as "TypeError: message"; None when it does not."""
    try:
        function(*arguments)
    except Exception as error:
        return describe_error(error)
    return None
