"""rustbpe as it is published: a trainer that cannot report how far it is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def quiet_trainer() -> Iterator[None]:
    """In the block, `rustbpe.Tokenizer` takes no `progress` for its training, and is the same otherwise."""
    import rustbpe

    class Tokenizer:
        def __init__(self) -> None:
            self._own = rustbpe.Tokenizer()

        def train_from_iterator(
            self,
            iterator: Iterable[str],
            vocab_size: int,
            buffer_size: int = 8192,
            pattern: str | None = None,
        ) -> None:
            self._own.train_from_iterator(iterator, vocab_size, buffer_size, pattern)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._own, name)

    quiet = ModuleType("rustbpe")
    quiet.Tokenizer = Tokenizer  # type: ignore[attr-defined]
    own, sys.modules["rustbpe"] = sys.modules["rustbpe"], quiet
    try:
        yield
    finally:
        sys.modules["rustbpe"] = own
