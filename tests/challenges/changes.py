"""Changes of a measurement: every way to leave something out of it, to make it constant, or to mix it up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

Place = tuple[str | int, ...]
Alter = Callable[[Any], Any]
Difference = tuple[Place, Any, Any]
BLANKS: tuple[Any, ...] = (None, "", [], {})
ODD: tuple[Any, ...] = (0, 1, -1, 10**400, 0.0, 1.0, math.nan, math.inf, -math.inf, True, False, "1")


@dataclass(frozen=True)
class Change:
    """Puts something else at several places of a measurement at once; a place may go (`Gone`)."""

    what: str
    places: tuple[Place, ...]
    alter: Alter

    def __str__(self) -> str:
        more = f" and {len(self.places) - 1} like it" if len(self.places) > 1 else ""
        return f"{self.what} at {shown(self.places[0])}{more}"


class Gone:
    """Stands for a key or an element that is left out."""


@contextmanager
def changed(data: Any, change: Change) -> Iterator[Any]:
    """`data` with a change in it, for the time of the block; the lists and dictionaries are the same ones."""
    if change.places == ((),):
        yield change.alter(data)
        return
    undo: dict[int, tuple[Any, Any]] = {}
    for place in sorted(change.places, key=_last_first, reverse=True):
        holder = at(data, place[:-1])
        undo.setdefault(id(holder), (holder, holder.copy()))
        try:
            value = change.alter(holder[place[-1]])
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
            continue  # nothing to be done to a node of this kind, among others of its pattern
        if value is Gone:
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
    try:
        yield data
    finally:
        for holder, before in undo.values():
            holder.clear()
            (holder.update if isinstance(holder, dict) else holder.extend)(before)


def _last_first(place: Place) -> tuple[tuple[int, str | int], ...]:
    return tuple((isinstance(key, str), key) for key in place)


def at(data: Any, place: Place) -> Any:
    for key in place:
        data = data[key]
    return data


def shown(place: Place) -> str:
    return ".".join(map(str, place)) or "the whole"


def children(data: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(data, dict):
        yield from data.items()
    elif isinstance(data, list):
        yield from enumerate(data)


def places(data: Any, here: Place = ()) -> Iterator[Place]:
    yield here
    for key, value in children(data):
        yield from places(value, (*here, key))


def pattern(place: Place) -> Place:
    """The place with a star for every index of a list."""
    return tuple("*" if isinstance(key, int) else key for key in place)


def alike(data: Any) -> dict[Place, list[Place]]:
    """All places, by their pattern."""
    found: dict[Place, list[Place]] = {}
    for place in places(data):
        found.setdefault(pattern(place), []).append(place)
    return found


def constant(value: Any) -> Alter:
    """Every leaf becomes the value, or the leaf of its type that comes first."""

    def alter(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: alter(one) for key, one in node.items()}
        if isinstance(node, list):
            return [alter(one) for one in node]
        return value

    return alter


def numbers_by(function: Callable[[float], float]) -> Alter:
    """Every number but for bools goes through the function; an int stays an int."""

    def alter(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: alter(one) for key, one in node.items()}
        if isinstance(node, list):
            return [alter(one) for one in node]
        if isinstance(node, bool) or not isinstance(node, (int, float)):
            return node
        return type(node)(function(node))

    return alter


def of_one_place(data: Any, place: Place, rng: Random) -> Iterator[Change]:
    """Everything that can be done to one node."""
    node = at(data, place)
    if place:
        yield Change("left out", (place,), lambda _: Gone)
    for value in BLANKS:
        yield Change(f"{value!r}", (place,), lambda _, value=value: value)
    yield Change("in a list", (place,), lambda node: [node])
    if isinstance(node, (list, dict)):
        yield from _of_many(node, place, rng)
    else:
        yield from _of_a_leaf(node, place)
    yield from _from_elsewhere(data, place, rng)


def _of_a_leaf(leaf: Any, place: Place) -> Iterator[Change]:
    for value in ODD:
        yield Change(f"{str(value)[:8]}", (place,), lambda _, value=value: value)
    if isinstance(leaf, bool):
        yield Change("the opposite", (place,), lambda leaf: not leaf)
    elif isinstance(leaf, (int, float)):
        yield Change("as text", (place,), str)
        yield Change("of the other type", (place,), float if isinstance(leaf, int) else _int)
        yield Change("one more", (place,), lambda leaf: leaf + 1)
        yield Change("turned", (place,), lambda leaf: -leaf)
        yield Change("doubled", (place,), lambda leaf: 2 * leaf)
        yield Change("half as much again", (place,), lambda leaf: type(leaf)(1.5 * leaf))
    elif isinstance(leaf, str):
        yield Change("longer", (place,), lambda leaf: leaf + "0")
        yield Change("shorter", (place,), lambda leaf: leaf[:-1])


def _int(leaf: float) -> Any:
    return int(leaf) if math.isfinite(leaf) else 0


def _of_many(node: Any, place: Place, rng: Random) -> Iterator[Change]:
    leaves = [at(node, one) for one in places(node) if not isinstance(at(node, one), (list, dict))]
    for value in (1.0, 0, 0.0, 1, None, True, math.nan, *(rng.sample(leaves, 1) if leaves else ())):
        yield Change(f"constant {value!r}", (place,), constant(value))
    yield Change("nothing but None", (place,), _none_within)
    for factor in (2, -1, 0, 1.5):
        yield Change(f"times {factor}", (place,), numbers_by(lambda x, factor=factor: factor * x))
    if not isinstance(node, list) or not node:
        return
    seed, size = rng.random(), len(node)
    i, j = rng.randrange(size), rng.randrange(size)
    yield Change("shuffled", (place,), lambda node: Random(seed).sample(node, len(node)))
    yield Change("backwards", (place,), lambda node: node[::-1])
    yield Change("cut in half", (place,), lambda node: node[: len(node) // 2])
    yield Change("without the first", (place,), lambda node: node[1:])
    yield Change("turned by one", (place,), lambda node: node[1:] + node[:1])
    yield Change("all the first", (place,), lambda node: node[:1] * len(node))
    yield Change("one twice", (place,), lambda node: [*node[: i + 1], *node[i:]])
    yield Change("one for another", (place,), lambda node: [*node[:i], node[j], *node[i + 1 :]])
    yield Change("twice as long", (place,), lambda node: node * 2)


def _none_within(node: Any) -> Any:
    return dict.fromkeys(node) if isinstance(node, dict) else [None] * len(node)


def _from_elsewhere(data: Any, place: Place, rng: Random) -> Iterator[Change]:
    """What stands at the same place of another element of a list."""
    for depth, key in enumerate(place):
        row = at(data, place[:depth])
        if isinstance(key, int) and len(row) > 1:
            other = rng.choice([index for index in range(len(row)) if index != key])
            try:
                value = at(data, (*place[:depth], other, *place[depth + 1 :]))
            except (LookupError, TypeError):
                continue
            yield Change(f"that of {other} at depth {depth}", (place,), lambda _, value=value: value)


def of_all_alike(data: Any, rng: Random) -> Iterator[Change]:
    """The same done to all nodes of a pattern at once; and to those of two keys beside each other."""
    groups = alike(data)
    for group in groups.values():
        if len(group) > 1:
            for change in of_one_place(data, rng.choice(group), rng):
                yield Change(f"all {change.what}", tuple(group), change.alter)
    siblings: dict[Place, list[Place]] = {}
    for one in groups:
        if one and one[-1] != "*":
            siblings.setdefault(one[:-1], []).append(one)
    for names in siblings.values():
        for pair in itertools.combinations(names, 2):
            group = tuple(place for one in pair for place in groups[one])
            for value in (1.0, 0.0, 0, None):
                yield Change(f"both {pair[0][-1]} and {pair[1][-1]} constant {value}", group, constant(value))
            yield Change(f"both {pair[0][-1]} and {pair[1][-1]} blank", group, lambda _: [])
            yield Change(f"both {pair[0][-1]} and {pair[1][-1]} left out", group, lambda _: Gone)
            yield Change(f"both {pair[0][-1]} and {pair[1][-1]} doubled", group, numbers_by(lambda x: 2 * x))


def differences(one: Any, other: Any, here: Place = ()) -> Iterator[Difference]:
    """(place, there, here) wherever two measurements say something else, as deep as they can be compared."""
    if type(one) is not type(other):
        yield here, one, other
    elif isinstance(one, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key, Gone), other.get(key, Gone), (*here, key))
    elif isinstance(one, list):
        if len(one) != len(other):
            yield here, one, other
        else:
            for index, both in enumerate(zip(one, other, strict=True)):
                yield from differences(*both, (*here, index))
    elif one != other and not (one != one and other != other):
        yield here, one, other
