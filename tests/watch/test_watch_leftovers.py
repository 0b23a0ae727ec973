"""The socket in `.bughunt` on which watches of old lent their judge to commands disturbs nobody."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from watching import Watcher

from bughunt.hunt.hunt import Hunt


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets here")
def test_the_socket_of_an_older_watch_is_not_asked(
    hunt: Hunt, watch: Callable[..., Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    # From here its path is short enough for a socket.
    monkeypatch.chdir(hunt.folder)
    with socket.socket(socket.AF_UNIX) as older:
        older.bind(".bughunt/watch.sock")
        older.listen()
        older.setblocking(False)
        (verdict,) = hunt.check(["1.1"], 7).verdicts
        watcher = watch()
        watcher.settle(3)
        watcher.session.close()
        with pytest.raises(BlockingIOError):
            older.accept()
    assert verdict.kind == "broken"
    assert (hunt.folder / ".bughunt/watch.sock").is_socket(), "it is no file of ours any more"
