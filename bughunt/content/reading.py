"""Reading TOML into a typed record; a fault is one sentence for its author, with the file and the key."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bughunt.errors import BughuntError

T = TypeVar("T", bound=msgspec.Struct)


def read(source: Path, kind: type[T]) -> T:
    """The record of this kind that the file holds. Raises BughuntError for a faulty one.

    Texts lose the white space at their ends, so that `\"\"\"` may stand on a line of its own.
    """
    data = _stripped(_parse(source))
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        from bughunt.content.explaining import explain

        raise fault(source, explain(str(error), data, kind)) from None


def fault(source: Path, says: str) -> BughuntError:
    """The error that tells an author what is wrong with a file, and a player whose file it is."""
    end = "" if says.endswith("?") else "."
    return BughuntError(f"{_shown(source)}: {says}{end}", "If you did not write it, install bughunt again.")


def _parse(source: Path) -> dict[str, Any]:
    try:
        # Some editors begin a file with a byte-order mark.
        return tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise fault(source, "the file is missing") from None
    except OSError as error:
        raise fault(source, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise fault(source, f"is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise fault(source, f"cannot be read as TOML: {error}") from error
    except RecursionError as error:
        raise fault(source, "cannot be read as TOML: lists or tables are nested too deeply") from error


def _stripped(data: Any) -> Any:
    if isinstance(data, str):
        return data.strip()
    if isinstance(data, list):
        return [_stripped(one) for one in data]
    if isinstance(data, dict):
        return {key: _stripped(value) for key, value in data.items()}
    return data


def _shown(path: Path) -> str:
    """The path as somebody would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
