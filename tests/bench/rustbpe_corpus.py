"""Real text from this machine, cut into documents of 1 to 5 KB: what the benchmarks of rustbpe train on."""

import hashlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = {".py", ".pyi", ".md", ".rst", ".txt", ".html", ".h", ".c", ".rs", ".toml", ".json"}
LARGEST_FILE = 1 << 20


def default_roots() -> list[Path]:
    """Where text lies on most machines: Python and its packages, documentation, headers, a Rust toolchain."""
    roots = [Path(sys.base_prefix), Path(sys.prefix), Path("/usr/share"), Path("/usr/include")]
    roots += [Path.home() / ".rustup", Path("/usr/lib/python3")]
    return [root for root in dict.fromkeys(roots) if root.is_dir()]


def _texts(roots: list[Path], rng: random.Random) -> Iterator[str]:
    """The text of every file once, in random order, whatever its copies are called."""
    paths = sorted(
        path for root in roots for path in root.rglob("*") if path.suffix in SUFFIXES and path.is_file()
    )
    rng.shuffle(paths)
    seen = set()
    for path in paths:
        try:
            if path.stat().st_size > LARGEST_FILE:
                continue
            content = path.read_bytes()
            digest = hashlib.blake2b(content, digest_size=16).digest()
            if digest not in seen:
                seen.add(digest)
                yield content.decode()
        except (OSError, UnicodeDecodeError):
            continue


def documents(megabytes: float, roots: list[Path] | None = None, seed: int = 0) -> Iterator[str]:
    """Documents of 1,000 to 5,000 characters, `megabytes` · 10⁶ bytes of UTF-8 in all.

    Raises SystemExit where the machine has less text than that.
    """
    rng = random.Random(seed)
    left = int(megabytes * 1e6)
    for text in _texts(roots or default_roots(), rng):
        start = 0
        while start < len(text):
            document = text[start : start + rng.randint(1000, 5000)]
            start += len(document)
            left -= len(document.encode())
            yield document
            if left <= 0:
                return
    raise SystemExit(f"{left / 1e6:.0f} MB of text short of {megabytes:.0f}: name more folders with --text")


def write(path: Path, megabytes: float, roots: list[Path] | None = None) -> None:
    """Write documents to a file, each behind its length in bytes."""
    with path.open("wb") as file:
        for document in documents(megabytes, roots):
            encoded = document.encode()
            file.write(len(encoded).to_bytes(4, "little") + encoded)


def read(path: Path) -> Iterator[str]:
    """The documents that `write` wrote, one at a time."""
    with path.open("rb") as file:
        while head := file.read(4):
            yield file.read(int.from_bytes(head, "little")).decode()
