"""How is the measured code held here? Not a question of health: where nothing holds it, that is said."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress

from bughunt.confine import hold, landlock
from bughunt.confine.bubblewrap import path_of_bubblewrap
from bughunt.hunt.doctor.finding import Finding
from bughunt.measure.sandbox import lacking, trouble_with, way

_FREE = (
    "not held, for this system lacks {}: it can change files of yours, this game and this hunt among them, "
    "and reach your other programs"
)


def examine_confinement() -> Iterator[Finding]:
    """What holds the code of every check, and what a sandbox would be made with."""
    missing = hold.lacking()
    if missing:
        yield Finding("measured code", True, _FREE.format(" and ".join(missing)))
    else:
        only = (
            "" if landlock.version() >= landlock.KEEPS_PROCESSES_SINCE else ", by a filter for signals alone,"
        )
        yield Finding(
            "measured code",
            True,
            f"held: writes to the workspace alone, and{only} reaches no program of yours",
        )
    yield Finding("the sandbox", True, _sandbox())


def _sandbox() -> str:
    chosen = way()
    if chosen is None:
        return f"not to be had: {lacking()}"
    if chosen == "bubblewrap":
        return f"by {_version_of_bubblewrap()}"
    if path_of_bubblewrap():
        return f"by namespaces, for bubblewrap does not work here ({trouble_with('bubblewrap')})"
    return "by namespaces; with bubblewrap, if it were installed"


def _version_of_bubblewrap() -> str:
    with suppress(OSError, subprocess.SubprocessError):
        asked = [path_of_bubblewrap() or "bwrap", "--version"]
        return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    return "bubblewrap"
