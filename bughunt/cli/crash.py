"""What nobody foresaw: one sentence, and a log with versions that is worth pasting into an issue."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bughunt import __version__
from bughunt.disk.kinds import expect
from bughunt.errors import BughuntError, Exit

_LIBRARIES = ("typer", "rich", "msgspec", "pytest", "textual", "watchfiles", "tiktoken", "rustbpe", "torch")


def unforeseen(error: Exception, arguments: Sequence[str]) -> BughuntError:
    """Writes the log, and gives the sentence that says where it is."""
    message = f"An error that nobody foresaw: {type(error).__name__}: {error}".split("\n")[0]
    text = _report(error, arguments)
    for folder in _folders():
        with suppress(OSError):
            expect(folder, "folder")
            folder.mkdir(exist_ok=True)
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            path = Path(tempfile.mkstemp(prefix=f"{stamp}-", suffix=".log", dir=folder)[1])
            path.write_text(text, encoding="utf-8", errors="replace")
            return BughuntError(message, f"Please report it with {path}", Exit.UNFORESEEN)
    return BughuntError(message, f"Please report it with this:\n\n{text}", Exit.UNFORESEEN)


def _folders() -> Iterator[Path]:
    """Where the log may be: in the hunt, or where that cannot be in a temporary folder."""
    with suppress(Exception):
        from bughunt.cli.output import find_hunt

        hunt = find_hunt()
        if hunt is not None:
            expect(hunt.store.folder, "folder")
            yield hunt.store.folder / "errors"
    with suppress(OSError):
        yield Path(tempfile.gettempdir()).resolve()


def _report(error: Exception, arguments: Sequence[str]) -> str:
    versions = [f"bughunt {__version__}", f"python {platform.python_version()}", platform.platform()]
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            versions.append(f"{name} {metadata.version(name)}")
    lines = ["bughunt " + " ".join(arguments), ", ".join(versions), f"encoding {sys.getfilesystemencoding()}"]
    return "\n".join(lines) + "\n\n" + "".join(traceback.format_exception(error))
