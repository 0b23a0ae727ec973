"""What was measured of the contract beforehand: `challenges/contract/breaks.json`.

Which files of the tree are at work in which clause, which bug breaks which, and the hashes of the clean tree
that all of it was measured on. `bughunt dev breaks` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from bughunt.content.clauses import Clause, contract_folder
from bughunt.content.reading import fault
from bughunt.content.tree import tree_files

FILE = "breaks.json"


class Breaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tree`: the hash of each of its files. `touches`: the files at work in a clause, by its slug.

    `bugs`: the clauses that a bug breaks, by the bug's id; `patches`: those that a wrong repair breaks, which
    the check of its bug has to accept, by `<level>/<slug>/<patch>`.
    """

    tree: Mapping[str, str]
    touches: Mapping[str, tuple[str, ...]]
    bugs: Mapping[str, tuple[str, ...]]
    patches: Mapping[str, tuple[str, ...]] = {}

    def owed(
        self, clauses: Iterable[Clause], unrepaired: Collection[str], changed: Collection[str]
    ) -> list[Clause]:
        """The clauses that none of the bugs `unrepaired` breaks and that a file of `changed` is at work in.

        A Python file that is not of the tree may be at work in any. Those about the fewest files come first:
        they say best where to look.
        """
        broken = {slug for bug in unrepaired for slug in self.bugs.get(bug, ())}
        anywhere = any(file.endswith(".py") and file not in self.tree for file in changed)
        owed = [
            clause
            for clause in clauses
            if clause.slug not in broken
            and (anywhere or not set(changed).isdisjoint(self.touches.get(clause.slug, self.tree)))
        ]
        return sorted(owed, key=lambda clause: len(self.touches.get(clause.slug, self.tree)))

    def changed_file(self, hashes: Mapping[str, str]) -> str | None:
        """A file of the clean tree that is not the one that all this was measured on, or None."""
        apart = [file for file in {**self.tree, **hashes} if self.tree.get(file) != hashes.get(file)]
        return next(iter(apart), None)


def tree_hashes(tree: Path) -> dict[str, str]:
    """The hash of each Python file of a tree: SHA-256, in hexadecimal."""
    return {
        file: sha256((tree / file).read_bytes()).hexdigest()
        for file in tree_files(tree)
        if file.endswith(".py")
    }


def read_breaks(folder: Path | None = None) -> Breaks:
    """Raises BughuntError for a file that is missing or faulty."""
    source = (folder or contract_folder()) / FILE
    try:
        return msgspec.json.decode(source.read_bytes(), type=Breaks)
    except FileNotFoundError:
        raise fault(source, "the file is missing; `bughunt dev breaks` makes it") from None
    except (OSError, msgspec.DecodeError) as error:
        raise fault(source, f"cannot be read: {error}") from error


def write_breaks(breaks: Breaks, folder: Path | None = None) -> Path:
    target = (folder or contract_folder()) / FILE
    text = json.dumps(msgspec.to_builtins(breaks), indent=1, sort_keys=True)
    target.write_text(text + "\n", encoding="utf-8")
    return target
