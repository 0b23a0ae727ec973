"""Programs that listen: a server as tmux has one, behind a path or a name, and one on the network."""

from __future__ import annotations

import select
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

UNIX, NETWORK = "a server behind a Unix socket", "a server on the network"


class Listeners:
    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        name = f"\0{folder}"
        self._stream, self._named = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._network = socket.socket()
        self._stream.bind(str(folder / "stream"))
        self._named.bind(name)
        self._datagrams.bind(str(folder / "datagrams"))
        self._network.bind(("127.0.0.1", 0))
        self._servers = (self._stream, self._named, self._network)
        for server in self._servers:
            server.listen(16)
        self._targets = {
            "stream": str(folder / "stream"),
            "name": name,
            "datagrams": str(folder / "datagrams"),
            "port": self._network.getsockname()[1],
        }

    def targets(self) -> dict[str, Any]:
        return self._targets

    def renew(self) -> None:
        self.reached()

    def reached(self) -> set[str]:
        """Who was called since this was last asked?"""
        found = set()
        while ready := select.select([*self._servers, self._datagrams], [], [], 0)[0]:
            for one in ready:
                found.add(NETWORK if one is self._network else UNIX)
                if one is self._datagrams:
                    one.recv(1000)
                else:
                    with suppress(OSError):
                        one.accept()[0].close()
        return found
