"""Which files and functions of the clean tree are at work in a clause: seen by running it."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, NoReturn

from bughunt.content.clauses import Clause
from bughunt.disk.places import temporary_folder
from bughunt.loading import load_module

# What a file does when it is imported; its constants, too.
MODULE = "<module>"

Touched = dict[str, set[str]]


class DoesNotRun(Exception):
    """A clause fails on the clean tree."""


def touched(clause: Clause, tree: Path, seeds: Sequence[int]) -> Touched:
    """The functions at work in a clause, by their file (relative to `tree`), on the inputs of any of `seeds`.

    It runs in a fork of this process, which must have run no torch operation. Raises DoesNotRun.
    """
    for name in clause.card.preload:
        __import__(name)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(clause, tree, seeds, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        written = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status != 0:
        raise DoesNotRun(f"{clause.slug}: {written.decode(errors='replace') or f'exit status {status}'}")
    return {file: set(functions) for file, functions in json.loads(written).items()}


def _run(clause: Clause, tree: Path, seeds: Sequence[int], writing: int) -> NoReturn:
    """In the fork."""
    status = 1
    try:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        with temporary_folder() as scratch:
            os.chdir(scratch)
            tempfile.tempdir = None
            os.environ.update(TMPDIR=str(scratch), HOME=str(scratch))
            sys.dont_write_bytecode = True
            sys.path.insert(0, str(tree))
            found = _watched(clause, tree, seeds)
            os.write(writing, json.dumps({file: sorted(names) for file, names in found.items()}).encode())
        status = 0
    except BaseException as error:
        os.write(writing, f"{type(error).__name__}: {error}".encode())
    finally:
        if status:
            os._exit(status)
        # The processes that it started end with it.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        os.killpg(0, signal.SIGTERM)
        os._exit(0)


def _watched(clause: Clause, tree: Path, seeds: Sequence[int]) -> Touched:
    top = str(tree.resolve()) + os.sep
    found: Touched = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(top):
            found.setdefault(code.co_filename[len(top) :], set()).add(code.co_qualname)

    module = load_module(str(clause.measure), "bughunt_clause")
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        for seed in seeds:
            module.measure(json.loads(json.dumps(module.draw(Random(f"{clause.slug}/{seed}")))))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found
