"""What is asked of `bughunt dev mutate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bughunt.content.catalog import load_catalog
from bughunt.content.clauses import contract_folder
from bughunt.content.installed import tree_folder
from bughunt.errors import BughuntError


@dataclass(frozen=True)
class Order:
    """What is asked for. `places` are files or functions, all without; `sample` so many mutants of them.

    All clauses are asked about each mutant if it is `to_the_end`, else no more after one noticed it. `seed`
    draws the sample and the clauses' inputs.
    """

    tree: Path
    contract: Path
    state: Path
    places: Sequence[str] = ()
    to_the_end: bool = False
    workers: int = 1
    scheduler: str | None = None
    sample: int | None = None
    seed: int = 0
    bug_files: Sequence[str] = ()


def order_here(state: Path | None, workers: int | None, **asked: Any) -> Order:
    """The order for the installed tree and contract, with what was `asked` beyond that.

    Raises BughuntError where mutants cannot be made.
    """
    if find_spec("libcst") is None:
        raise BughuntError(
            "Mutants are made with LibCST, which is not installed.", "Run `pip install 'bughunt[dev]'`."
        )
    if sys.platform == "win32":
        raise BughuntError("Mutants are judged in forks, which Windows does not have.", "Use WSL.")
    bug_files = sorted({file for level in load_catalog().levels for bug in level.bugs for file in bug.files})
    return Order(
        tree=tree_folder(),
        contract=contract_folder(),
        state=state or _state_here(),
        workers=workers or processors_here(),
        bug_files=bug_files,
        **asked,
    )


def processors_here() -> int:
    """How many of the machine's processors are ours, where the system tells."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _state_here() -> Path:
    """Where what was found is kept, unless another place is named."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "bughunt" / "mutation.jsonl"
