"""How a measuring process ended, and what it left in its files: all of it untrusted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import IO

from bughunt.measure.texts import DETAIL_CHARACTERS, beginning_lost

# With the mark of a cut not more than is shown, which would be cut once more.
_PRINTED_BYTES = DETAIL_CHARACTERS - 2


@dataclass(frozen=True)
class ProcessExit:
    """`status` is the exit status, or minus the signal that ended the process. `ready` is False when it did
    not even get as far as the workspace's code. `result` is what it wrote down, None for more than it may;
    `printed` the end of its output; `exceeded` says what it and all that it started used too much of.
    """

    status: int
    ready: bool
    timed_out: bool
    result: str | None
    printed: str
    seconds: float
    exceeded: str = ""


def read_result(file: IO[bytes], limit: int) -> str | None:
    """What the process wrote down; None for more than `limit` bytes of data."""
    # What surrounds the data in the document comes on top.
    if size_of(file) > limit + 100:
        return None
    file.seek(0)
    return file.read().decode(errors="replace")


def read_printed(output: IO[bytes]) -> str:
    """The end of the process's output."""
    cut = max(0, size_of(output) - _PRINTED_BYTES)
    output.seek(cut)
    text = output.read().decode(errors="replace")
    return (beginning_lost(text) if cut else text).strip()


def size_of(file: IO[bytes]) -> int:
    """Bytes written to the file so far, by whichever process."""
    return os.fstat(file.fileno()).st_size
