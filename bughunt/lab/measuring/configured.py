"""The tree's configured data and saved tokenizer, made of one text, for code that is given neither."""

from __future__ import annotations

import os
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# So many that the tree finds some for training and some for validation.
_FILES = 40


def byte_tokenizer() -> Any:
    """The tree's tokenizer without a single merge: a token is a byte, and its id is the byte's value."""
    from nanochat.tokenizer import RustBPETokenizer

    return RustBPETokenizer({bytes([byte]): byte for byte in range(256)})


@contextmanager
def configured_data(text: str) -> Iterator[None]:
    """Every document of either split is `text`, of at most 4,000 characters in one line; the saved tokenizer
    is `byte_tokenizer`. All of it is in temporary folders."""
    corpus = Path(tempfile.mkdtemp())
    for number in range(_FILES):
        (corpus / f"part{number:02}.py").write_text(text, encoding="utf-8")
    byte_tokenizer().save(Path(os.environ["NANOCHAT_BASE_DIR"]) / "tokenizer")
    own = sysconfig.get_path

    def get_path(name: str, *arguments: Any, **options: Any) -> str:
        return str(corpus) if name == "stdlib" else own(name, *arguments, **options)

    sysconfig.get_path = get_path
    try:
        yield
    finally:
        sysconfig.get_path = own
