"""CASE.md, the short text a workspace starts with: what the users of this code complain about."""

from __future__ import annotations

from bughunt.content.level import Level

_TEXT = """\
# {level.title}

{level.blurb}

This folder is a complete, working copy of nanochat, except that somebody broke it in {places}.
`README.md` says how the project is run. Below is what its users noticed. Edit the code in any editor;
each repair is judged on its own, in any order.

{symptoms}
## The commands

    bughunt hint {first}       the next hint, if you want one (each costs a part of the points)
    bughunt probe {first}      measure the code and look at the numbers
    bughunt check           judge every repair of this level
    bughunt reset {first}      put the files of one bug back (your edits are kept aside)

What you run in here leaves its files in `runs/`, which no check looks at. What a check runs may write to
this folder (by its full path) and to a temporary one, which goes when it ends; on Linux nowhere else.
What it prints is shown when it crashes.
"""

_SYMPTOM = """\
## {bug.id}: {bug.card.title}

{bug.card.symptom}

"""


_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def case_file(level: Level) -> str:
    """The text of CASE.md for `level`."""
    symptoms = "".join(_SYMPTOM.format(bug=bug) for bug in level.bugs)
    count = len(level.bugs)
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    places = f"{number} place" if count == 1 else f"{number} places"
    return _TEXT.format(level=level, places=places, symptoms=symptoms, first=level.bugs[0].id)
