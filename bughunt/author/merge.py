"""Three-way merge of lines: what a patch changes, in a text that has changed, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Lines = list[str]


@dataclass(frozen=True)
class Edit:
    """Lines `first` to `end` (not included) of a text become `lines`."""

    first: int
    end: int
    lines: Lines


@dataclass(frozen=True)
class Merged:
    """The merged lines, unless edits conflict: then the lines of the base that both change.

    `touching` says that an edit of one side stands right beside one of the other: neither changes what the
    other does, but whoever knows what they mean should look.
    """

    lines: Lines
    conflict: tuple[int, int] | None = None
    touching: bool = False


def edits(before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    """What turns one text into the other, from top to bottom."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return [
        Edit(i1, i2, list(after[j1:j2])) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"
    ]


def merge(base: Sequence[str], theirs: Sequence[str], ours: Sequence[str]) -> Merged:
    """`theirs` with what was done to `base` to make `ours`."""
    touching = False
    own, foreign = edits(base, ours), edits(base, theirs)
    for edit in own:
        for other in foreign:
            if _overlap(edit, other):
                return Merged([], (min(edit.first, other.first), max(edit.end, other.end)))
            touching = touching or edit.end == other.first or edit.first == other.end
    lines: Lines = []
    position = 0
    # What is inserted at the edge of lines that the other side changes stays on its side of them.
    for edit in sorted([*own, *foreign], key=lambda edit: (edit.first, edit.end)):
        lines += base[position : edit.first]
        lines += edit.lines
        position = edit.end
    return Merged([*lines, *base[position:]], touching=touching)


def _overlap(one: Edit, other: Edit) -> bool:
    if one.first == one.end and other.first == other.end:
        return one.first == other.first  # which of them comes first, nobody knows
    return one.first < other.end and other.first < one.end
