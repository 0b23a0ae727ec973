"""Modules of the tree as they are before anybody has used them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def freshly_imported(*names: str) -> Iterator[None]:
    """In the block, an import of one of these modules runs it anew; afterwards the former ones are back."""
    former = {name: sys.modules.get(name) for name in names}
    for name in names:
        _put(name, None)
    try:
        yield
    finally:
        for name, module in former.items():
            _put(name, module)


def _put(name: str, module: ModuleType | None) -> None:
    """Make the module the one of that name, in its package as well; None leaves none of that name."""
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if module is None:
        sys.modules.pop(name, None)
        if parent is not None and hasattr(parent, last):
            delattr(parent, last)
    else:
        sys.modules[name] = module
        if parent is not None:
            setattr(parent, last, module)
