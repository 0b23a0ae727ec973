"""What an author may write: `bug.toml` and `level.toml`, with the type and the meaning of each key.

A description ends the sentence “`title` is the number 3; it must be …”, which an author reads.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

HINTS_PER_BUG = 4

Text = Annotated[str, Meta(min_length=1, description="a text that is not empty")]
Line = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]+\Z", description="one line of text")]
# A folder beside level.toml, never a way out of there; small, since not every disk tells cases apart.
Slug = Annotated[
    str,
    Meta(pattern=r"\A[a-z0-9][a-z0-9-]*\Z", description="a folder's name: small letters, digits and dashes"),
]
Module = Annotated[
    str, Meta(pattern=r"\A[^\W\d]\w*(\.[^\W\d]\w*)*\Z", description='the name of a module, such as "torch"')
]


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a bug lives: a file of the tree and the dotted name of a function in it."""

    file: Annotated[
        str,
        Meta(
            pattern=r"\A\w[\w.-]*(/\w[\w.-]*)*\Z",
            description='a file of the tree, such as "nanochat/engine.py"',
        ),
    ]
    function: Annotated[
        str,
        Meta(
            pattern=r"\A[^\W\d]\w*(\.[^\W\d]\w*)*\Z",
            description='a function in that file, such as "Engine.generate"',
        ),
    ]


class Card(Struct, frozen=True, forbid_unknown_fields=True):
    """What `bug.toml` says.

    `cost` is how to read the figures of `cost.json`; `preload` lists the modules a measurement wants
    imported beforehand.
    """

    title: Line
    symptom: Annotated[Text, Meta(description="a text: what users notice, and nothing of the cause")]
    hints: Annotated[
        tuple[Text, ...],
        Meta(
            min_length=HINTS_PER_BUG,
            max_length=HINTS_PER_BUG,
            description=f"a list of {HINTS_PER_BUG} texts, from a nudge to the repair",
        ),
    ]
    pattern: Annotated[Line, Meta(description="one line of text: the kind of mistake, such as “off by one”")]
    consequence: Annotated[Line, Meta(description="one line of text: what it leads to in production")]
    why: Annotated[Text, Meta(description="a text: why the bug matters")]
    cost: Annotated[Text, Meta(description="a text: how to read the figures of cost.json")]
    where: Annotated[
        tuple[Place, ...],
        Meta(
            min_length=1,
            description="a table [[where]], with `file` and `function`, for each place it lives in",
        ),
    ]
    preload: Annotated[
        tuple[Module, ...],
        Meta(description='a list of the modules to import before it is measured, such as ["torch"], or []'),
    ]


class LevelHead(Struct, frozen=True, forbid_unknown_fields=True):
    """What `level.toml` says, but for its bugs.

    `points` is what each of them is worth; `minutes` what they may take.
    """

    number: Annotated[int, Meta(ge=1, description="the level's number, 1 or more, in no quotes")]
    # Another word for the level in commands, where it must not be taken for a number or an id.
    name: Annotated[
        str,
        Meta(
            pattern=r"\A(?!level\d*\Z)[a-z][a-z0-9-]*\Z",
            description="one word, such as “easy”, of small letters, digits and dashes; “level2” is its id",
        ),
    ]
    title: Line
    blurb: Annotated[Text, Meta(description="a text: what the player is told before the symptoms")]
    topics: Annotated[tuple[Line, ...], Meta(min_length=1, description="a list of what the level is about")]
    minutes: Annotated[int, Meta(ge=1, description="a whole number of minutes, 1 or more, in no quotes")]
    points: Annotated[int, Meta(ge=1, description="a whole number of points a bug, 1 or more, in no quotes")]
    strategies: Annotated[
        tuple[Line, ...], Meta(min_length=1, description="a list of what helps in this level and elsewhere")
    ]


class LevelCard(LevelHead, frozen=True, forbid_unknown_fields=True):
    """What `level.toml` says: `bugs` are their folders, in the order of their ids."""

    bugs: Annotated[
        tuple[Slug, ...], Meta(min_length=1, description="a list of the folders of the bugs, in their order")
    ]
