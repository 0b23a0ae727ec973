"""Scripts of the tree, run as whole programs in this process."""

from __future__ import annotations

import sys
from runpy import run_module
from typing import TextIO

from bughunt.lab.measuring.replacing import replaced


def run_program(module: str, *flags: str) -> int:
    """Run `python -m MODULE FLAGS`, and return its exit status."""
    try:
        with replaced(sys, argv=[module, *flags]):
            run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return exit_status(end, sys.stderr)
    return 0


def exit_status(end: SystemExit, errors: TextIO) -> int:
    """The status that a program has which ends so. A text instead of a status is shown as Python does."""
    if end.code is None or isinstance(end.code, int):
        return int(end.code or 0)
    errors.write(f"{end.code}\n")
    return 1
