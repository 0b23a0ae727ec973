"""Which mutants a command means: files and functions as somebody types them, and a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from bughunt.author.mutation.mutant import Mutant
from bughunt.errors import BughuntError


def files_of(places: Sequence[str], known: Sequence[str]) -> list[str]:
    """The files of the tree that are meant, all without `places`. Raises BughuntError for an unknown one."""
    if not places:
        return list(known)
    return list(dict.fromkeys(_file(place, known) for place in places))


def chosen(places: Sequence[str], mutants: Mapping[str, Sequence[Mutant]]) -> list[Mutant]:
    """The mutants in the places, `FILE` or `FILE::FUNCTION`; a class means its methods, too."""
    if not places:
        return [one for found in mutants.values() for one in found]
    picked: dict[str, Mutant] = {}
    for place in places:
        file, function = _file(place, list(mutants)), place.partition("::")[2]
        inside = [
            one
            for one in mutants[file]
            if not function or one.function == function or one.function.startswith(f"{function}.")
        ]
        if not inside:
            there = ", ".join(sorted({one.function for one in mutants[file] if one.function}))
            raise BughuntError(f"There is no mutant in “{place}”.", f"Functions of {file} are: {there}.")
        picked |= {one.id: one for one in inside}
    return list(picked.values())


def sampled(mutants: Sequence[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """So many of the mutants, drawn by the seed, in their order; all of them without a size."""
    if size is None or size >= len(mutants):
        return list(mutants)
    drawn = set(Random(f"sample {seed}").sample(range(len(mutants)), size))
    return [one for index, one in enumerate(mutants) if index in drawn]


def _file(place: str, known: Sequence[str]) -> str:
    name = place.partition("::")[0]
    found = [file for file in known if file == name or name.endswith(f"/{file}")]
    found = found or [file for file in known if file.endswith(f"/{name}")]
    if len(found) != 1:
        raise BughuntError(f"“{name}” is no file of the tree with mutants.", f"They are: {', '.join(known)}.")
    return found[0]
