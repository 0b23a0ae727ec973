"""Inside the measuring process: take the limits on, run the workspace's code, write down what it did.

Nothing here decides anything. Whatever this process writes is read by the judge as untrusted data.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from bughunt.loading import load_module
from bughunt.measure.borrowing import Lookout
from bughunt.measure.environment import places_in
from bughunt.measure.texts import DETAIL_CHARACTERS, tidy

if sys.platform != "win32":
    import resource


def perform(request: dict[str, Any], result_fd: int) -> NoReturn:
    """Measures the `parts` that `request` asks for, one after the other, and ends the process.

    Of each, a JSON document is written to `result_fd`, on a line of its own. It holds `data`; or `raised`,
    see `describe`; or `unfit`, the reason why the data cannot be written down. Beside it stands whether
    anything was `borrowed` so far: see `borrowing`.
    """
    lookout = Lookout(request["hidden"], request["shown"], request["workspace"])
    begun = False
    for part in request["parts"]:
        try:
            if not begun:
                take_on_limits(request)
                _move_in(request)
                begun = True
            data = _measure(part)
        except BaseException as error:
            kind, text = "raised", json.dumps(describe(error, request["workspace"]))
        else:
            kind, text = _written_down(data, request["limits"]["returned"])
        borrowed = json.dumps(lookout.borrowed())
        _write_all(result_fd, f'{{"{kind}": {text}, "borrowed": {borrowed}}}\n'.encode())
    os._exit(0)


def _move_in(request: dict[str, Any]) -> None:
    # What is printed before a crash is shown, and this process ends without a last word.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
    os.chdir(request["scratch"])
    # A fork has those of its server.
    os.environ.update(places_in(request["scratch"]))
    tempfile.tempdir = None
    # Bytecode lying in the workspace is not the source that the player sees.
    sys.pycache_prefix = request["scratch"]
    sys.dont_write_bytecode = True
    sys.path.insert(0, request["workspace"])
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _measure(part: dict[str, Any]) -> Any:
    module = load_module(part["measure"], "bughunt_measure")
    return getattr(module, part["function"])(part["inputs"])


def _written_down(data: Any, limit: int) -> tuple[str, str]:
    """The kind of answer, and what it holds as JSON, which is ASCII: a byte for each character."""
    try:
        text = json.dumps(data)
        if len(text) > limit:
            raise ValueError(f"it is {len(text):,} bytes long")
    except BaseException as error:
        return "unfit", json.dumps(_safe_str(error))
    return "data", text


def take_on_limits(request: dict[str, Any]) -> None:
    """Has the system hold this process to the `limits` of the request, where it knows them."""
    if sys.platform == "win32":
        return
    limit = request["limits"]
    # The wall clock strikes first, except for a process that has freed itself of it.
    _lower(resource.RLIMIT_CPU, int(time.process_time() + limit["seconds"]) + 3)
    _lower(resource.RLIMIT_FSIZE, limit["written"])
    _lower(resource.RLIMIT_CORE, 0)
    in_use = _address_space()
    if in_use is not None:
        _lower(resource.RLIMIT_AS, in_use + limit["memory"])
    running = _threads_in_system()
    if running is not None:
        _lower(resource.RLIMIT_NPROC, running + limit["processes"])


def _lower(kind: int, value: int) -> None:
    # A platform may not know a limit, or the shell may have set a lower one.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))


def _address_space() -> int | None:
    """Bytes of address space in use, where the system tells (Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return None


def _threads_in_system() -> int | None:
    """Threads of all processes, where the system tells (Linux): no user has more."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return None


def describe(error: BaseException, workspace: str) -> dict[str, str]:
    """The exception's type and message, and its traceback as far as it runs through the workspace."""
    root = os.path.realpath(workspace) + os.sep
    lines: list[str] = []
    # Code of the exception's own is run here.
    with suppress(BaseException):
        for frame in traceback.extract_tb(error.__traceback__):
            path = os.path.realpath(frame.filename)
            if path.startswith(root):
                shown = path[len(root) :]
                lines += [f'  File "{shown}", line {frame.lineno}, in {frame.name}', f"    {frame.line}"]
    with suppress(BaseException):
        lines += [line.rstrip("\n") for line in traceback.format_exception_only(error)]
    text = "\n".join(lines).replace(root, "")
    detail = tidy(text, DETAIL_CHARACTERS)
    return {"type": type(error).__name__, "message": _safe_str(error), "detail": detail}


def _safe_str(error: BaseException) -> str:
    try:
        text = str(error)
        return text if len(text) <= 500 else text[:500] + " …"
    except BaseException:
        return "(its message cannot be shown)"


def _write_all(fd: int, payload: bytes) -> None:
    while payload:
        payload = payload[os.write(fd, payload) :]
