"""A measuring process started on its own: the request on standard input, the result on standard output."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys

from bughunt.measure import inside
from bughunt.measure.kernel import die_with_parent


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    result_fd = os.dup(1)
    os.dup2(2, 1)
    die_with_parent()
    # The server ignores it, and what it starts would, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in request["preload"]:
        importlib.import_module(name)
    # White space before the JSON: this process is ready, its clock may start.
    os.write(result_fd, b"\n")
    inside.perform(request, result_fd)
