"""What an author does to a file."""

from __future__ import annotations

import re
from pathlib import Path


def edit(source: Path, old: str, new: str) -> None:
    """Replaces the first `old` of a file."""
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new, 1), encoding="utf-8")


def set_key(source: Path, key: str, value: str) -> None:
    """Gives a key of a TOML file another value, a TOML literal; with none, the key goes."""
    text = source.read_text(encoding="utf-8")
    quoted = r'"""(?s:.*?)"""'
    pattern = re.compile(rf'^{key} = ({quoted}|\[(?s:.*?)\]$|[^"\[].*|"[^"\n]*")\n', re.MULTILINE)
    assert len(pattern.findall(text)) == 1
    source.write_text(pattern.sub(lambda _: f"{key} = {value}\n" if value else "", text), encoding="utf-8")
