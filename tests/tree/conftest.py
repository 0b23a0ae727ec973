"""Tests of the tree import it as a player's Python does: from the tree's own folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

TREE = Path(__file__).resolve().parents[2] / "nanochat"
sys.path.insert(0, str(TREE))

if TYPE_CHECKING:
    from nanochat.tokenizer import RustBPETokenizer


@pytest.fixture(autouse=True)
def _own_base_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a base folder of its own, the default corpus and a single process."""
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path / "base"))
    for name in ("NANOCHAT_DATA_DIR", "RANK", "LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def tokenizer() -> RustBPETokenizer:
    """A small tokenizer of 320 ids, trained in no time."""
    from nanochat.tokenizer import RustBPETokenizer

    text = (
        "The cat sat on the mat, and the other cat sat on the hat. That is that: 12 + 34 = 46. "
        "A tokenizer learns which letters often stand together, and gives each such pair a number of its own."
    )
    return RustBPETokenizer.train_from_iterator([text] * 4, vocab_size=320)
