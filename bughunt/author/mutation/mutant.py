"""A mutant: one small change of one file, such as people make by mistake."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class Edit:
    """The bytes from `start` to `end` of a file become `text`."""

    start: int
    end: int
    text: str

    def of(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]


@dataclass(frozen=True)
class Mutant:
    """`before` and `after` are the changed lines without their common indentation.

    `function` is the outermost function around the change with its class, the class, or "" for the module's
    top level. `number` tells equal changes of equal lines of one function apart, from 0. `needs` says what
    the changed statement asks of a machine that not every one has, such as "cuda"; mostly nothing.
    """

    file: str
    function: str
    operator: str
    line: int
    before: str
    after: str
    number: int
    edit: Edit
    needs: str = ""

    @property
    def id(self) -> str:
        """The same for as long as the function and the line are: other lines may come and go."""
        named = (self.file, self.function, self.operator, self.before, self.after, str(self.number))
        return sha256("\0".join(named).encode()).hexdigest()[:16]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"

    def diff(self, source: bytes) -> str:
        """The unified diff that makes the mutant of the clean file."""
        lines, changed = (text.decode().splitlines(True) for text in (source, self.edit.of(source)))
        names = f"a/{self.file}", f"b/{self.file}"
        return "".join(_with_ends(difflib.unified_diff(lines, changed, *names)))


def _with_ends(lines: object) -> Sequence[str]:
    assert hasattr(lines, "__iter__")
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]
