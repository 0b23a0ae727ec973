"""A watch in a real pseudo-terminal leaves it as it found it, however it ends."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bughunt
from bughunt.hunt.hunt import Hunt

termios = pytest.importorskip("termios", reason="there are no pseudo-terminals here")
pty = pytest.importorskip("pty")

PATIENCE_SECONDS = 60.0
# Where this very bughunt is imported from: a checkout, or an environment it is installed in.
IMPORTED_FROM = Path(bughunt.__file__).resolve().parents[1]

WATCH = """
from bughunt.cli.main import main
{before}
main()
"""

STUMBLE_ON_SCREEN = """
from bughunt.watch.app import Watch
Watch.action_check = lambda self: 1 // 0
"""

STUMBLE_IN_SESSION = """
from bughunt.watch.judging import Judging
Judging.begin_anew = lambda *_: 1 // 0
"""


class Terminal:
    """A watch, and the pseudo-terminal that it runs in."""

    def __init__(self, hunt: Hunt, before: str) -> None:
        self._near, self._far = pty.openpty()
        termios.tcsetwinsize(self._far, (24, 80)) if hasattr(termios, "tcsetwinsize") else None
        self.found = termios.tcgetattr(self._far)
        self.drawn = b""
        environment = {
            **os.environ,
            "BUGHUNT_JUDGE": "fresh",
            "COLUMNS": "80",
            "LINES": "24",
            "NO_COLOR": "1",
            "PYTHONPATH": str(IMPORTED_FROM),
            "TERM": "xterm-256color",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", WATCH.format(before=before), "watch", "--manual"],
            cwd=hunt.folder,
            stdin=self._far,
            stdout=self._far,
            stderr=self._far,
            env=environment,
            start_new_session=True,
        )

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < deadline, self.drawn[-2000:]
            if select.select([self._near], [], [], 0.05)[0]:
                self.drawn += os.read(self._near, 1 << 16)

    def press(self, key: bytes) -> None:
        os.write(self._near, key)

    def ended(self) -> int:
        """The exit status, when all that was drawn has been read."""
        self.until(lambda: self.process.poll() is not None)
        while select.select([self._near], [], [], 0)[0]:
            self.drawn += os.read(self._near, 1 << 16)
        return self.process.returncode

    @property
    def left(self) -> object:
        return termios.tcgetattr(self._far)

    def hang_up(self) -> None:
        """Closes the end that a person would sit at."""
        os.close(self._near)
        self._near = -1

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for descriptor in (self._near, self._far):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def terminal(hunt: Hunt) -> Iterator[Callable[[str], Terminal]]:
    opened: list[Terminal] = []

    def terminal(before: str = "") -> Terminal:
        opened.append(Terminal(hunt, before))
        opened[-1].until(lambda: b"q quit" in opened[-1].drawn and b"1.1" in opened[-1].drawn)
        return opened[-1]

    yield terminal
    for one in opened:
        one.close()


WAYS_TO_END = {
    "q": ("", lambda watch: watch.press(b"q"), 0),
    "ctrl-c": ("", lambda watch: watch.press(b"\x03"), 130),
    "sigterm": ("", lambda watch: watch.process.terminate(), 128 + signal.SIGTERM),
    "screen-error": (STUMBLE_ON_SCREEN, lambda watch: watch.press(b"c"), 4),
    "session-error": (STUMBLE_IN_SESSION, lambda watch: watch.press(b"c"), 4),
}


@pytest.mark.parametrize("way", WAYS_TO_END)
def test_the_terminal_is_left_as_it_was_found(terminal: Callable[[str], Terminal], way: str) -> None:
    before, end, status = WAYS_TO_END[way]
    watch = terminal(before)
    assert watch.left != watch.found, "the watch has taken the terminal over"
    end(watch)
    assert watch.ended() == status
    assert watch.left == watch.found
    for taken, given_back in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
        assert watch.drawn.rfind(given_back) > watch.drawn.rfind(taken) >= 0
    if way.endswith("error"):
        assert b"ZeroDivisionError" in watch.drawn.split(b"\x1b[?1049l")[-1]
    assert not colours(watch.drawn.split(b"\x1b[?1049l")[0]), "NO_COLOR is set"


def colours(drawn: bytes) -> list[bytes]:
    """The codes that set another colour than the terminal's own (39 and 49)."""
    codes = [code for found in re.findall(rb"\x1b\[([0-9;]*)m", drawn) for code in found.split(b";")]
    return [code for code in codes if code.isdigit() and int(code) in {*range(30, 39), *range(40, 49)}]


def test_without_a_terminal_it_says_what_to_run(hunt: Hunt) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WATCH.format(before=""), "watch"],
        cwd=hunt.folder,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(IMPORTED_FROM)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2
    assert "needs a terminal" in ran.stderr and "bughunt check" in ran.stderr


def test_a_terminal_that_goes_without_a_signal_ends_the_watch(terminal: Callable[..., Terminal]) -> None:
    """It is not the watch's controlling terminal, so that no hangup is announced."""
    watch = terminal()
    watch.hang_up()
    assert watch.process.wait(PATIENCE_SECONDS) == 128 + signal.SIGHUP
