"""Texts that come from a measuring process, made fit to be shown."""

from __future__ import annotations

import re

# As much of a traceback, or of what was printed, as is worth showing.
DETAIL_CHARACTERS = 4000

_MARK = "…"

# The line that was cut in two, and what is indented below it: of a frame, that is code, and whose it is was
# said in the line that is gone.
_HALF = re.compile(r'\A[^\n]*\n(?:[ \t]+(?!File ")\S[^\n]*\n){0,8}')


def tidy(text: str, characters: int) -> str:
    """The end of a text, at most so many characters, without what would steer a terminal."""
    kept = "".join(c for c in text if c.isprintable() or c in "\n\t")
    if len(kept) <= characters:
        return kept
    room = characters - len(_MARK) - 1
    return beginning_lost(kept[-room:])


def beginning_lost(text: str) -> str:
    """The text, whose beginning is cut off, from its first whole line or frame on; a lone line as it is."""
    whole = _HALF.sub("", text, count=1)
    return f"{_MARK}\n{whole}" if whole != text else f"{_MARK} {text}"
