"""From save to verdict: ten saves in a running watch, and the same ten with a command for each.

    python tests/bench/bench_watch.py [BUG]

The watch runs in a pseudo-terminal as it does for a player. Its time is from writing the file to the verdict
on the screen; every other save repairs the bug, and each verdict has to be the right one. Every verdict is
also timed as `bughunt check BUG`, in a process of its own.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bughunt.content.catalog import load_catalog
from bughunt.content.level import Bug, Level
from bughunt.hunt.hunt import Hunt
from bughunt.workspace.injection import inject

SAVES = 10
PATIENCE_SECONDS = 120.0
CHECKOUT = Path(__file__).resolve().parents[2]


def main() -> None:
    catalog = load_catalog()
    bug = catalog.bug(sys.argv[1] if len(sys.argv) > 1 else catalog.levels[0].bugs[-1].id)
    level = catalog.level_of(bug)
    with tempfile.TemporaryDirectory(prefix="bench-watch-") as folder:
        hunt = Hunt(Path(folder) / "hunt")
        hunt.folder.mkdir()
        hunt.start(level.id)
        save = saver(hunt.folder / level.id, level, bug, Path(folder) / "repaired")
        imports = median(timed(python, "-c", "import torch, pytest") for _ in range(3))
        cold = [command_seconds(hunt, bug, save, turn) for turn in range(SAVES)]
        with watching(hunt, bug) as screen:
            warm = [screen.seconds(save, turn) for turn in range(SAVES)]
    print(f"bug {bug.id}, {SAVES} saves each, every verdict right; seconds: median (least to most)")
    for what, seconds in (
        ("watch, save to verdict on the screen", warm),
        ("bughunt check", cold),
    ):
        middle = median(seconds)
        print(
            f"{what:37}  {middle:5.2f}  ({min(seconds):.2f} to {max(seconds):.2f})  {middle / imports:4.2f} x"
        )
    print(f"{'python -c `import torch, pytest`':37}  {imports:5.2f}  {'':16}  1.00 x")


def median(values: Iterator[float] | list[float]) -> float:
    return statistics.median(values)


def saver(workspace: Path, level: Level, bug: Bug, scratch: Path) -> Callable[[int], str]:
    """A function that saves the bug's files, repaired at even turns, and says what the verdict has to be."""
    inject(scratch, [other for other in level.bugs if other is not bug])
    texts = [{file: (root / file).read_bytes() for file in bug.files} for root in (scratch, workspace)]

    def save(turn: int) -> str:
        for file, text in texts[turn % 2].items():
            (workspace / file).write_bytes(text)
        return ("fixed", "broken")[turn % 2]

    return save


def command_seconds(hunt: Hunt, bug: Bug, save: Callable[[int], str], turn: int) -> float:
    wanted = save(turn)
    started = time.monotonic()
    ran = python("-m", "bughunt", "check", bug.id, "--json", where=hunt.folder)
    seconds = time.monotonic() - started
    assert ran.stdout, ran.stderr
    (verdict,) = json.loads(ran.stdout)["verdicts"]
    assert verdict["verdict"] == wanted, verdict
    return seconds


def timed(call: Callable[..., object], *arguments: str) -> float:
    started = time.monotonic()
    call(*arguments)
    return time.monotonic() - started


def python(*arguments: str, where: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=where,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm-256color"}


class Screen:
    """What a watch has drawn so far."""

    def __init__(self, terminal: int, hunt: Hunt, bug: Bug) -> None:
        self._terminal = terminal
        self._hunt = hunt
        self._bug = bug
        self._drawn = ""

    def seconds(self, save: Callable[[int], str], turn: int) -> float:
        """From a save to the right verdict; then the watch judges the others in peace."""
        self._drawn = ""
        started = time.monotonic()
        wanted = save(turn)
        self._until(lambda: re.search(rf"{self._bug.id}  {wanted}   ", self._drawn) is not None)
        seconds = time.monotonic() - started
        self.settle()
        return seconds

    def settle(self) -> None:
        """Waits until nothing has been drawn for a second, as while nothing is judged."""
        while self._read(1.0):
            pass

    def press(self, key: str) -> None:
        os.write(self._terminal, key.encode())

    def _until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            self._read(0.5)
            assert time.monotonic() < deadline, f"the watch did not get there: {self._drawn[-2000:]}"

    def _read(self, patience: float) -> bool:
        if not select.select([self._terminal], [], [], patience)[0]:
            return False
        drawn = os.read(self._terminal, 1 << 16).decode(errors="replace")
        self._drawn += re.sub(r"\x1b\[[0-9;?<>=]*[a-zA-Z]", "", drawn)
        return True


@contextmanager
def watching(hunt: Hunt, bug: Bug) -> Iterator[Screen]:
    terminal, inside = pty.openpty()
    os.set_blocking(terminal, True)
    watch = subprocess.Popen(
        [sys.executable, "-m", "bughunt", "watch"],
        cwd=hunt.folder,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**environment(), "COLUMNS": "80", "LINES": "24"},
        start_new_session=True,
    )
    try:
        screen = Screen(terminal, hunt, bug)
        screen._until(lambda: f"{bug.id}  judging" in screen._drawn)
        screen.settle()
        screen.press(bug.id.split(".")[1])
        screen.settle()
        yield screen
    finally:
        watch.terminate()
        while watch.poll() is None:
            if select.select([terminal], [], [], 0.1)[0]:
                os.read(terminal, 1 << 16)
        os.close(inside)
        os.close(terminal)


if __name__ == "__main__":
    main()
