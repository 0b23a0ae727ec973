"""A terminal of the player's, at which a word is being typed."""

from __future__ import annotations

import os
import pty
import select
import termios
from typing import Any

TYPED, SHOWN, TAKEN = "typed into a terminal", "written to a terminal", "read from a terminal"


class Terminal:
    """Where the system has none to give, nothing can be reached of it, and its path is that of no file."""

    def __init__(self, word: str) -> None:
        self._word = f"{word}\n".encode()
        self._path = "/dev/pts/none"
        try:
            self._master, self._slave = pty.openpty()
        except OSError:
            self._master = self._slave = -1
            return
        self._path = os.ttyname(self._slave)
        settings = termios.tcgetattr(self._slave)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)

    def targets(self) -> dict[str, Any]:
        return {"terminal": self._path}

    def renew(self) -> None:
        if self._master >= 0:
            self._take()
            os.write(self._master, self._word)

    def reached(self) -> set[str]:
        if self._master < 0:
            return set()
        shown, typed = self._take()
        found = {SHOWN} if shown else set()
        if self._word not in typed:
            found.add(TAKEN)
        if not shown and typed.replace(self._word, b"", 1):
            found.add(TYPED)
        return found

    def _take(self) -> tuple[bytes, bytes]:
        return _all_of(self._master), _all_of(self._slave)


def _all_of(descriptor: int) -> bytes:
    text = b""
    while select.select([descriptor], [], [], 0)[0]:
        text += os.read(descriptor, 1000)
    return text
