"""Which files of the clean tree are at work in a clause: seen by running it."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import NoReturn

from bughunt.author.tracing import read_trace, trace_to
from bughunt.content.clauses import Clause
from bughunt.disk.places import temporary_folder
from bughunt.errors import BughuntError
from bughunt.loading import load_module
from bughunt.measure.environment import places_in


def files_at_work(clause: Clause, tree: Path, seed: int) -> list[str]:
    """The files (relative to `tree`) that a clause imports or runs something of.

    It runs in a fork of this process, which must have run no torch operation. Raises BughuntError where it
    fails.
    """
    for name in clause.card.preload:
        __import__(name)
    with temporary_folder() as scratch:
        trace = scratch / "trace"
        child = os.fork()
        if child == 0:
            _run(clause, tree, seed, scratch, trace)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status != 0:
            step = f"`bughunt dev contract --clause {clause.slug}` says how."
            raise BughuntError(f"{clause.slug} fails on the clean tree.", step)
        return sorted({file for file, _ in read_trace(trace) if (tree / file).is_file()})


def _run(clause: Clause, tree: Path, seed: int, scratch: Path, trace: Path) -> NoReturn:
    """In the fork, which is ended with all that the clause leaves running."""
    status = 1
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        os.chdir(scratch)
        tempfile.tempdir = None
        os.environ.update(places_in(str(scratch)))
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(tree))
        module = load_module(str(clause.measure), "bughunt_clause")
        inputs = json.loads(json.dumps(module.draw(Random(f"{clause.slug}/{seed}"))))
        trace_to(trace, tree)
        module.measure(inputs)
        status = 0
    finally:
        sys.setprofile(None)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(status))
        os.killpg(0, signal.SIGTERM)
        os._exit(status)
