"""Which functions of the tree run: written down as they are first met, in forks and threads, too."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import CodeType, FrameType
from typing import Any


def trace_to(path: Path, tree: Path) -> None:
    """From now on, writes a line to `path` for each function of the tree that runs in this process."""
    root = str(tree) + os.sep
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    met: set[CodeType] = set()

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (code := frame.f_code) not in met:
            met.add(code)
            if code.co_filename.startswith(root):
                file = code.co_filename[len(root) :].replace(os.sep, "/")
                os.write(descriptor, f"{file}\t{outer(code.co_qualname)}\n".encode())

    threading.setprofile(look)
    sys.setprofile(look)


def read_trace(path: Path) -> list[tuple[str, str]]:
    """The functions that ran, each as its file and its name."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return sorted({(file, name) for file, _, name in (line.partition("\t") for line in lines)})


def outer(qualname: str) -> str:
    """The outermost function of a nested one, with its class: `C.f` for `C.f.<locals>.g`."""
    return qualname.partition(".<locals>")[0]
