"""What an enclosed process sees of the machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

# Devices that are nobody's, and tell nothing.
DEVICES = ("null", "zero", "full", "random", "urandom")
# Bytes of shared memory that it may have.
SHARED_MEMORY = 256 << 20


@dataclass(frozen=True)
class View:
    """Of all files, those below the paths `shown`, less those below the paths `masked`, and those below the
    paths `given`: all to be read alone. `links` are symbolic links, each a path and a target. `scratch` is a
    folder in memory, empty at first, for so many bytes in so many files.

    There is no network but one of its own, and no process but its own.
    """

    shown: tuple[str, ...]
    masked: tuple[str, ...]
    given: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    scratch: str
    scratch_bytes: int
    scratch_files: int

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> View:
        fields = json.loads(text)
        links = tuple((path, target) for path, target in fields.pop("links"))
        for name in ("shown", "masked", "given"):
            fields[name] = tuple(fields[name])
        return cls(links=links, **fields)
