"""What gives a bug away, and what must therefore not be read anywhere before it is solved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from bughunt.content.level import Bug, Level
from bughunt.judge import Verdict
from bughunt.render.plain import draw
from bughunt.views import View, to_json

# Too short to give anything away: `pass`, `else:`, `return x`.
_TELLING_LENGTH = 12
_PLACE = re.compile(r"\b[\w/]+\.py\b|\bline \d+", re.IGNORECASE)


def squeezed(text: str) -> str:
    """Text without spaces, so that no wrapping or table hides a match."""
    return re.sub(r"\s+", "", text)


def changed_lines(bug: Bug) -> Iterator[str]:
    for line in bug.patch.read_text(encoding="utf-8").splitlines():
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---")):
            text = squeezed(line[1:].split("#")[0])
            if len(text) >= _TELLING_LENGTH:
                yield text


def secrets(bug: Bug) -> dict[str, str]:
    """What must not be read anywhere, by what it is."""
    found = dict.fromkeys(changed_lines(bug), "a line of the patch")
    if "-" in bug.folder.name:  # else it is a word like any other
        found[squeezed(bug.folder.name)] = "the name of its folder"
    for hint in bug.card.hints:
        for sentence in re.split(r"(?<=[.!?:])\s+", hint.strip()):
            if len(sentence) > 40:
                found[squeezed(sentence)] = "a hint"
    return found


def assert_no_spoiler(text: str, level: Level, *, places: bool = True) -> None:
    dense = squeezed(text)
    for bug in level.bugs:
        for secret, what in secrets(bug).items():
            assert secret not in dense, f"{what} of {bug.id}: {secret}"
    if places:
        assert not _PLACE.search(text), _PLACE.search(text)


def shown(views: list[View]) -> str:
    return draw(views, 80) + json.dumps([to_json(view) for view in views], ensure_ascii=False)


def assert_spoils_nothing(verdict: Verdict, level: Level, seed: int) -> None:
    assert verdict.message, seed
    # A traceback is the player's own, and it may name places in the player's own code.
    if verdict.kind == "broken":
        assert not verdict.detail, (seed, verdict)
        assert_no_spoiler(verdict.message, level)
    else:
        for bug in level.bugs:
            assert bug.folder.name not in verdict.message + verdict.detail
