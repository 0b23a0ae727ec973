"""How many threads code asks for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def largest_pool(function: Callable[[], object]) -> int:
    """The size of the largest thread pool that is made while `function` runs; 0 for none."""
    sizes = [0]
    own = ThreadPoolExecutor.__init__

    def noting(self: ThreadPoolExecutor, max_workers: int | None = None, *rest: Any, **options: Any) -> None:
        own(self, max_workers, *rest, **options)
        sizes.append(self._max_workers)

    ThreadPoolExecutor.__init__ = noting  # type: ignore[method-assign]
    try:
        function()
    finally:
        ThreadPoolExecutor.__init__ = own  # type: ignore[method-assign]
    return max(sizes)
