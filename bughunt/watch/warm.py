"""The warm judge of a running watch, lent to `bughunt check` and `bughunt probe` through a socket.

What is lent is measuring, never a verdict: the command checks the numbers itself, so whoever answers on the
socket can only do what a measuring process can. A request and its answer are a JSON line each:

    {"maker": "<see maker>", "measure": "<path>", "workspace": "<path>", "inputs": …}
    {"kind": "Measurement" | "Failure", …its fields} | {"refused": true}

The socket is `.bughunt/watch.sock`, for its owner alone. Without it, or with the watch of another version at
its other end, the command measures by itself, as it does when the watch ends in between.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

from bughunt import __version__
from bughunt.judge import Failure, Measurement, Outcome, Stopped
from bughunt.measure.measurer import Measurer, default_mode
from bughunt.measure.outcomes import Flag, Limits

_NAME = "watch.sock"

# Systems keep a socket's path in 104 to 108 bytes, the closing zero among them.
_LONGEST_PATH = 103

# A measurement of the watch's own may have to end first, and a control comes on top.
_PATIENCE_SECONDS = 90.0
_REQUEST_SECONDS = 5.0
_LARGEST_ANSWER = 64 << 20

LendMeasuring = Callable[[Path, Path, Any], "Future[Outcome]"]


@contextmanager
def lending(folder: Path, lend: LendMeasuring) -> Iterator[None]:
    """Lends the measuring of `lend` on a socket in `folder` as long as the block runs, where that can be."""
    listener = _listen(folder)
    if listener is None:
        yield
        return
    thread = Thread(target=_serve, args=(listener, lend), name="bughunt-lender", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / _NAME).unlink()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def borrow(folder: Path) -> Measurer | None:
    """A measurer that asks the watch running in the hunt whose `.bughunt` is `folder`; None without one."""
    address = _address(folder)
    if address is None or default_mode() != "fork" or not (folder / _NAME).exists():
        return None
    return _Borrowed(address)


class _Borrowed(Measurer):
    """Measures through the socket; by itself from the first time on that this fails."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address: str | None = address

    def warm_up(self, preload: Iterable[str] = ()) -> None:
        if self._address is None:
            super().warm_up(preload)

    def measure(
        self,
        measure: Path,
        workspace: Path,
        inputs: Any,
        preload: Iterable[str],
        limits: Limits,
        stop: Flag | None = None,
    ) -> Outcome:
        if self._address is not None:
            request = {
                "maker": maker(),
                "measure": str(measure),
                "workspace": str(workspace.resolve()),
                "inputs": inputs,
            }
            outcome = _ask(self._address, request)
            if outcome is not None:
                return outcome
            self._address = None
        return super().measure(measure, workspace, inputs, preload, limits, stop)


def maker() -> str:
    """What has to be the same at both ends: the version, the interpreter, and the code that measures."""
    package = Path(__file__).resolve().parents[1]
    digest = sha256(f"{__version__} {sys.executable} {sys.version} {package}".encode())
    for path in sorted([*package.glob("judge/*.py"), *package.glob("lab/*.py"), Path(__file__).resolve()]):
        status = path.stat()
        digest.update(f" {path.name} {status.st_mtime_ns} {status.st_size}".encode())
    return digest.hexdigest()


def _ask(address: str, request: dict[str, Any]) -> Outcome | None:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_SECONDS)
            connection.connect(address)
            with connection.makefile("rwb") as lines:
                lines.write(json.dumps(request).encode() + b"\n")
                lines.flush()
                return _read_outcome(json.loads(lines.readline(_LARGEST_ANSWER)))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _read_outcome(answer: dict[str, Any]) -> Outcome | None:
    if answer.get("kind") == "Measurement":
        return Measurement(answer["data"], float(answer["seconds"]))
    if answer.get("kind") == "Failure":
        message, detail = str(answer["message"]), str(answer["detail"])
        return Failure(message, detail, bool(answer["ours"]), float(answer["seconds"]))
    return None


def _address(folder: Path) -> str | None:
    """The shortest way to the socket, if it is short enough."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    ways = [str((folder / _NAME).absolute())]
    with suppress(OSError, ValueError):
        ways.append(os.path.relpath(folder / _NAME))
    way = min(ways, key=lambda way: len(os.fsencode(way)))
    return way if len(os.fsencode(way)) <= _LONGEST_PATH else None


def _listen(folder: Path) -> socket.socket | None:
    """A listening socket in `folder`; None where there cannot be one, or another watch has it."""
    address = _address(folder)
    if address is None or default_mode() != "fork":
        return None
    listener = socket.socket(socket.AF_UNIX)
    try:
        if _answers(address):
            raise OSError("another watch lends its judge in this hunt")
        Path(address).unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            listener.bind(address)
        finally:
            os.umask(mask)
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:
            return False
        return True


def _serve(listener: socket.socket, lend: LendMeasuring) -> None:
    mine = maker()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        Thread(target=_answer, args=(connection, mine, lend), daemon=True).start()


def _answer(connection: socket.socket, mine: str, lend: LendMeasuring) -> None:
    with suppress(OSError), connection, connection.makefile("rwb") as lines:
        connection.settimeout(_REQUEST_SECONDS)
        document = _outcome(lines.readline(), mine, lend)
        lines.write(json.dumps(document).encode() + b"\n")


def _outcome(line: bytes, mine: str, lend: LendMeasuring) -> dict[str, Any]:
    try:
        request = json.loads(line)
        if request["maker"] != mine:
            return {"refused": True}
        outcome = lend(Path(request["measure"]), Path(request["workspace"]), request["inputs"]).result()
    except (ValueError, LookupError, TypeError, RecursionError, CancelledError, Stopped):
        return {"refused": True}
    return {"kind": type(outcome).__name__, **asdict(outcome)}
