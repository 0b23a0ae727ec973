"""What a hostile program is, and what is right where nothing confines it, where it is held, and enclosed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

TOKENIZER = "nanochat/tokenizer.py"
LOADER = "nanochat/dataloader.py"
ENGINE = "nanochat/engine.py"
BUG_OF = {TOKENIZER: "1.1", LOADER: "1.2", ENGINE: "3.2"}

BROKEN = frozenset({"broken"})
CRASHED = frozenset({"crashed"})
EITHER = BROKEN | CRASHED
FORGED = frozenset({"fixed"})

# The columns of the tables: each a `confinement` of the measurer. The last two are ways of `--sandbox`.
COLUMNS = ("none", "default", "bubblewrap", "namespaces")


@dataclass(frozen=True)
class Right:
    """The right verdicts, a part of the message that helps, and all that the program may have reached."""

    verdicts: frozenset[str]
    says: str
    reaches: frozenset[str]


@dataclass(frozen=True)
class Case:
    """`code` is appended to a file in which a bug stands: the tokenizer's 1.1, the loader's 1.2.

    `files` are put into the workspace beside it and `environment` into the player's shell, `{workspace}` in
    its values being the workspace. `verdicts`, `says` and `reaches` are right where nothing confines the
    code; those that begin with `held_` where it is held, by default, and with `sandbox_` in the sandbox,
    where that differs. What is reached, is reached for certain, or for some users only: `perhaps`.

    One that `waits` holds out until its time is over, or takes long: it is for the soak. One that `spoils`
    the judge where it can is followed by no other with the same.
    """

    name: str
    verdicts: frozenset[str]
    code: str = ""
    says: str = ""
    reaches: Iterable[str] = ()
    held_verdicts: frozenset[str] | None = None
    held_says: str | None = None
    held_reaches: Iterable[str] = ()
    sandbox_verdicts: frozenset[str] | None = None
    sandbox_says: str | None = None
    sandbox_reaches: Iterable[str] = ()
    perhaps: bool = False
    file: str = TOKENIZER
    files: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    needs_linux: bool = False
    needs_x86: bool = False
    waits: bool = False
    spoils: bool = False

    @property
    def planted(self) -> str:
        return "\n\n" + dedent(self.code)

    def right(self, column: str) -> Right:
        verdicts, says, reaches = self.verdicts, self.says, self.reaches
        if column != "none":
            verdicts = self.held_verdicts or verdicts
            says = says if self.held_says is None else self.held_says
            reaches = self.held_reaches
        if column in ("bubblewrap", "namespaces"):
            verdicts = self.sandbox_verdicts or verdicts
            says = says if self.sandbox_says is None else self.sandbox_says
            reaches = self.sandbox_reaches
        return Right(verdicts, says, frozenset(reaches))


def refused(name: str, what: str, code: str, **others: Any) -> Case:
    """A program that reaches `what`, and goes on as if nothing were; held, it gets an error that ends it."""
    settings = {"held_verdicts": CRASHED, "held_says": "Error", "reaches": (what,), "needs_linux": True}
    return Case(name, code=code, **{"verdicts": EITHER, **settings, **others})


def told(name: str, what: str, code: str, **others: Any) -> Case:
    """A program that reads what is not its business, and gets it out as the text of an exception."""
    settings = {"held_says": "Error", "reaches": (what,), "needs_linux": True}
    return Case(name, code=code, **{"verdicts": CRASHED, **settings, **others})
