"""The scripts that a speedrun runs one after the other, and something else in their place."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from bughunt.lab.measuring.replacing import replaced

SCRIPTS = ("tok_train", "base_train", "chat_sft", "chat_eval")


@contextmanager
def stages_replaced(stage: Callable[[str, Sequence[str]], None]) -> Iterator[None]:
    """In the block, the `main` of each of the scripts calls `stage` with the script's name and its flags."""

    def main_of(name: str) -> Callable[[Sequence[str]], None]:
        return lambda argv: stage(name, argv)

    with ExitStack() as stack:
        for name in SCRIPTS:
            module = importlib.import_module(f"scripts.{name}")
            stack.enter_context(replaced(module, main=main_of(name)))
        yield
