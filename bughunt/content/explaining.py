"""What is wrong with an author's data, in one sentence: which key, what it holds, and what would be right."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_LONGEST = 40
_FEW = 10
# The ratio of difflib from which one name is taken for another, misspelt.
_ALIKE = 0.75


def explain(message: str, data: Any, kind: type[msgspec.Struct]) -> str:
    """Says what msgspec's `message` says of `data`, which is no `kind`, without the full stop."""
    found = _FAULT.fullmatch(message)
    assert found is not None
    path: list[str | int] = [name or int(index) for name, index in _STEP.findall(found["path"] or "")]
    schema: Any = kind
    for step in path:
        data, schema = data[step], _schema_of(schema, step)
    if missing := _MISSING.fullmatch(found["what"]):
        key = missing[1]
        return f"{_place([*path, key])} is missing; it must be {_right(_schema_of(schema, key))}"
    if unknown := _UNKNOWN.fullmatch(found["what"]):
        return _unknown(path, unknown[1], schema, kind)
    return f"{_place(path)} is {_described(data)}; it must be {_right(schema)}"


def suggestion(wrong: str, known: Sequence[str]) -> str:
    """Those of `known` that may have been meant, as a question; all of them when they are few; or nothing."""
    close = [one for one in known if one.endswith((f".{wrong}", f"/{wrong}"))]
    close = close or get_close_matches(wrong, known, 1, _ALIKE)
    if close:
        return f"; did you mean {' or '.join(f'`{one}`' for one in close)}?"
    return f"; there are {', '.join(f'`{one}`' for one in known)}" if len(known) <= _FEW else ""


def _unknown(path: list[str | int], key: str, schema: Any, kind: type[msgspec.Struct]) -> str:
    says = f"{_place([*path, key])} means nothing here"
    if path and key in kind.__struct_fields__:
        return says + f"; it must stand above the first [[{path[0]}]], or TOML takes it for a part of that"
    return says + suggestion(key, _bare(schema).__struct_fields__)


def _place(path: Sequence[str | int]) -> str:
    """`hints`, or entry 2 of it, or a key of that, as an author would say it."""
    words = []
    for step in path:
        words.append(f"entry {step + 1}" if isinstance(step, int) else f"`{step}`")
    return ", ".join(words)


def _described(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            whole = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
            return f"the text {json.dumps(whole, ensure_ascii=False)}" if value else "empty"
        case int() | float():
            return f"the number {value}"
        case list():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "a table"
        case _:
            return "a date or a time"


def _bare(schema: Any) -> Any:
    return get_args(schema)[0] if get_origin(schema) is Annotated else schema


def _schema_of(schema: Any, step: str | int) -> Any:
    bare = _bare(schema)
    return get_args(bare)[0] if isinstance(step, int) else get_type_hints(bare, include_extras=True)[step]


def _right(schema: Any) -> str:
    """The description that the schema gives, the outermost first."""
    metas = reversed(getattr(schema, "__metadata__", ()))
    return next((meta.description for meta in metas if meta.description), "a table with its keys")
