"""The mutants that nobody can tell from the clean code: `challenges/contract/equivalent.toml`.

[[equivalent]]
file = "nanochat/engine.py"
function = "KVCache.insert_kv"     "" for the module's top level
operator = "whole number changed"
before = '''…'''                   the changed lines, as the report shows them
after = '''…'''
reason = "why no user could notice"
number = 0                         only where equal lines of a function are changed equally
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec import Struct

from bughunt.author.mutation.mutant import Mutant
from bughunt.content.reading import fault, read

FILE = "equivalent.toml"


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    function: str
    operator: str
    before: str
    after: str
    reason: str
    number: int | None = None

    def names(self, mutant: Mutant) -> bool:
        return (
            (self.file, self.function, self.operator) == (mutant.file, mutant.function, mutant.operator)
            and (self.before.strip(), self.after.strip()) == (mutant.before.strip(), mutant.after.strip())
            and self.number in (None, mutant.number)
        )


class _Entries(Struct, frozen=True, forbid_unknown_fields=True):
    equivalent: list[Entry] = []


def read_equivalents(
    folder: Path, mutants: Iterable[Mutant], files: Collection[str] | None = None
) -> dict[str, str]:
    """The reason for each equivalent mutant, by its id.

    Raises BughuntError for an entry that names no mutant, or several, or that gives no reason. Only entries
    on `files` are looked at, where those are given.
    """
    source = folder / FILE
    if not source.exists():
        return {}
    known = list(mutants)
    found: dict[str, str] = {}
    for entry in read(source, _Entries).equivalent:
        if files is not None and entry.file not in files:
            continue
        where = f"the entry on {entry.file}, `{entry.function}`: “{entry.before}” → “{entry.after}”"
        named = [mutant for mutant in known if entry.names(mutant)]
        if not named:
            raise fault(source, f"{where} names no mutant of the operator “{entry.operator}” any more")
        if len(named) > 1:
            raise fault(source, f"{where} names {len(named)} mutants; `number` tells which: 0, 1, …")
        if not entry.reason:
            raise fault(source, f"{where} gives no reason")
        found[named[0].id] = entry.reason
    return found
