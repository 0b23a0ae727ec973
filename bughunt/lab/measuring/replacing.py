"""Other attributes for an object, and other environment variables, for a while."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# The packages of the tree, whose modules may have imported by name what is replaced.
TREE = ("nanochat", "scripts")


@contextmanager
def replaced(owner: Any, **attributes: Any) -> Iterator[None]:
    """The owner, such as a module, has these attributes instead of its own, and its own again afterwards.

    A function or class of a module is replaced on every way to it: also in the modules of the tree that have
    imported it by name, or do so in the block, and in the module of the same package that defines it.
    """
    own = {name: getattr(owner, name) for name in attributes}
    places = [(owner, name, name) for name in attributes]
    if isinstance(owner, ModuleType):
        places += [place for place in _other_places(owner, own) if place not in places]
    before = set(map(id, _tree_modules()))
    originals = [(where, called, own[name]) for where, called, name in places]
    try:
        for where, called, name in places:
            setattr(where, called, attributes[name])
        yield
    finally:
        for where, called, original in originals:
            setattr(where, called, original)
        for module in _tree_modules():
            if id(module) not in before:
                _put_back(module, own, attributes)


def _tree_modules() -> list[ModuleType]:
    named = [one for one in list(sys.modules.items()) if one[0].startswith(TREE)]
    return [module for name, module in named if _package(name) in TREE and module is not None]


def _package(name: str) -> str:
    return name.partition(".")[0]


def _other_places(owner: ModuleType, own: dict[str, Any]) -> Iterator[tuple[ModuleType, str, str]]:
    """Where else what the owner has is bound: the module, the name there, and the owner's name."""
    names = {id(value): name for name, value in own.items() if callable(value)}
    for module in _tree_modules():
        for called, value in list(vars(module).items()):
            if id(value) in names:
                yield module, called, names[id(value)]
    for name, value in own.items():
        called = getattr(value, "__name__", name)
        definer = sys.modules.get(getattr(value, "__module__", None) or "")
        near = definer is not None and _package(definer.__name__) == _package(owner.__name__)
        if definer is not None and near and callable(value) and vars(definer).get(called) is value:
            yield definer, called, name


def _put_back(module: ModuleType, own: dict[str, Any], attributes: dict[str, Any]) -> None:
    """Give a module that was imported in the meantime what it would have imported without a replacement."""
    for called, value in list(vars(module).items()):
        names = [name for name in attributes if attributes[name] is value]
        if names and callable(value):
            setattr(module, called, own[called if called in names else names[0]])


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """The environment has these variables, or not where None is given, and its own again afterwards."""
    own = {name: os.environ.get(name) for name in variables}
    try:
        _set(variables)
        yield
    finally:
        _set(own)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
