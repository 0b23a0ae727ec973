"""What a measurement has to be made of, before anything can be said of its numbers.

The code that is measured may return anything that JSON can hold. A comparison lets much of it pass that is no
answer: True is equal to 1, nothing is larger than NaN, and a list that is empty has no wrong element.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


class Either:
    """One form or another."""

    def __init__(self, *forms: Any) -> None:
        self.forms = forms


@dataclass(frozen=True)
class Within:
    """A number between two bounds, these included and infinity not, of the type of the lower one."""

    least: float
    most: float


# Where something is in memory.
ADDRESS = Within(1, 2**64)


def assert_form(found: Any, form: Any, what: str = "the measurement") -> None:
    """`found` is of a form, down to the type of every number in it.

    A form is a type: int, float (a finite one), str or bool, and no other that Python takes for it; a value,
    and nothing that is merely equal to it; `[form]`, a list of any length; `(form, …)`, a list of as many; a
    dictionary of forms by key, with no key more or less.
    """
    wrong = _misfit(found, form, what)
    assert wrong is None, f"What came back is no answer to what was asked: {wrong}."


def exactly(value: Any) -> Any:
    """The form of one value, whatever it is made of."""
    if isinstance(value, dict):
        return {key: exactly(one) for key, one in value.items()}
    return tuple(map(exactly, value)) if isinstance(value, (list, tuple)) else value


def _misfit(found: Any, form: Any, what: str) -> str | None:
    """Where `found` is not of the form, and what is there; None if nowhere."""
    if isinstance(form, Either):
        reasons = [_misfit(found, one, what) for one in form.forms]
        return None if None in reasons else reasons[-1]
    if isinstance(form, list) and type(found) is list:
        form = tuple(form) * len(found)
    if isinstance(form, tuple) and type(found) is list:
        if len(found) != len(form):
            return f"{what} has {len(found)} elements where there should be {len(form)}"
        return _first(_misfit(*both, f"{what}[{i}]") for i, both in enumerate(zip(found, form, strict=True)))
    if isinstance(form, dict) and type(found) is dict:
        if found.keys() != form.keys():
            odd = sorted(found.keys() ^ form.keys())
            return f"{what} should have {sorted(form)}, and {odd} are missing or too many"
        return _first(_misfit(found[key], form[key], f"{what}[{key!r}]") for key in form)
    if _is_single(found, form):
        return None
    return f"{what} is {_shown(found)}"


def _is_single(found: Any, form: Any) -> bool:
    if isinstance(form, Within):
        return type(found) is type(form.least) and form.least <= found <= form.most and abs(found) < math.inf
    if form is float:
        return type(found) is float and math.isfinite(found)
    if isinstance(form, type):
        return type(found) is form
    if isinstance(form, (list, tuple, dict)):
        return False
    return type(found) is type(form) and bool(found == form)


def _first(reasons: Any) -> str | None:
    return next((reason for reason in reasons if reason is not None), None)


def _shown(found: Any) -> str:
    if isinstance(found, (list, dict)):
        return f"a {'list' if isinstance(found, list) else 'dictionary'} of {len(found)}"
    text = repr(found) if not isinstance(found, int) or abs(found) < 10**30 else "a huge number"
    return text if len(text) <= 60 else f"{text[:57]}…"
