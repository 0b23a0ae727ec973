"""Runs a command of bughunt, and notes what it imports and opens once code of a workspace has begun to run.

    python late_loading.py REPORT CONDITIONS ARGUMENT...

REPORT is written, as a JSON list of strings. What lies in the current folder (the hunt), in temporary folders
of the game's, or is no file on a disk is not in it. CONDITIONS, separated by commas, are names of functions
below.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bughunt.measure.measurer import Measurer

noted: dict[str, None] = {}
begun: list[set[str]] = []
_FILES = {"open", "os.listdir", "os.scandir"}
_PROGRAMS = {"subprocess.Popen", "os.exec", "os.posix_spawn"}
_FREE = (os.getcwd(), "/proc/", "/dev/", str(Path(__file__).parent / "late_loading.py"))  # noqa: PTH109


def note(event: str, arguments: tuple[Any, ...]) -> None:
    if not begun:
        return
    if event == "import":
        noted[f"import {arguments[0]}"] = None
    elif event in _PROGRAMS:
        noted[f"{event} {arguments[0]!r} {str(arguments[1])[:200]}"] = None
    elif event in _FILES and isinstance(arguments[0], str | bytes | os.PathLike):
        path = os.path.abspath(os.fsdecode(arguments[0]))  # noqa: PTH100
        if not (path.startswith(_FREE) or "/bughunt-" in path or path == tempfile.gettempdir()):
            noted[f"{event} {path}"] = None


def noting_from_the_first_measurement() -> None:
    measure = Measurer.measure_parts

    def noted_measure(self: Measurer, *arguments: Any, **options: Any) -> Any:
        if not begun:
            begun.append(set(sys.modules))
        return measure(self, *arguments, **options)

    Measurer.measure_parts = noted_measure  # type: ignore[method-assign]
    sys.addaudithook(note)


def the_clean_tree_fails() -> None:
    from bughunt.judge import Judge

    make = Judge.__init__

    def make_with_nothing(self: Judge, clean_tree: Path, *arguments: Any, **options: Any) -> None:
        make(self, Path(os.devnull), *arguments, **options)

    Judge.__init__ = make_with_nothing  # type: ignore[method-assign]


def nothing_is_recorded() -> None:
    from bughunt.hunt import judging

    def full(*_: Any) -> bool:
        raise judging.BughuntError("The disk is full.", "Free some space.")

    judging.record = full


def recording_goes_wrong() -> None:
    from bughunt.hunt import judging

    def wrong(*_: Any) -> bool:
        raise RuntimeError("nobody foresaw this")

    judging.record = wrong


def it_is_interrupted() -> None:
    from bughunt.hunt import judging

    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    judging.record = interrupted


def main() -> None:
    report, conditions, *arguments = sys.argv[1:]
    from bughunt.cli import main as command_line

    for name in filter(None, conditions.split(",")):
        globals()[name]()
    noting_from_the_first_measurement()
    sys.argv = ["bughunt", *arguments]
    status = command_line.run(arguments)
    before = begun.pop() if begun else set(sys.modules)
    modules = [f"module {name}" for name in sorted(set(sys.modules) - before)]
    Path(report).write_text(json.dumps([*modules, *noted]))
    sys.exit(status)


if __name__ == "__main__":
    main()
