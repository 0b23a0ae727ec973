from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from nanochat.common import TREE_ROOT, UserError, get_base_dir
from nanochat.tokenizer import get_tokenizer
from scripts import tok_train


def run(*flags: str, base_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NANOCHAT_BASE_DIR": str(base_dir)}
    command = [sys.executable, "-m", "scripts.tok_train", *flags]
    return subprocess.run(
        command, cwd=TREE_ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_script_trains_on_the_default_corpus_reports_and_saves(tmp_path: Path) -> None:
    done = run(base_dir=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^trained in [\d.]+ s: 4096 ids, 9 of them special tokens$", done.stdout, re.MULTILINE)
    ratios = dict(re.findall(r"^ *(train|val): ([\d.]+) bytes per token$", done.stdout, re.MULTILINE))
    assert float(ratios["train"]) > 3 and float(ratios["val"]) > 2.5
    assert f"saved in {tmp_path / 'tokenizer'}" in done.stdout


def test_what_was_trained_is_what_get_tokenizer_loads() -> None:
    tok_train.main(["--vocab-size=400", "--max-chars=50000", "--eval-chars=5000"])
    tokenizer = get_tokenizer()
    assert tokenizer.get_vocab_size() == 400
    assert tokenizer.decode(tokenizer.encode("import torch\n")) == "import torch\n"


@pytest.mark.parametrize("max_chars", [1, 1234, 30_000])
def test_texts_stop_at_the_number_of_characters_asked_for(max_chars: int) -> None:
    settings = tok_train.Settings(max_doc_chars=700)
    texts = list(tok_train.texts(settings, "train", max_chars))
    assert sum(map(len, texts)) == max_chars
    assert max(map(len, texts)) <= 700


def test_a_vocabulary_that_the_text_cannot_fill_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    tok_train.main(["--vocab-size=4096", "--max-chars=60", "--eval-chars=100"])
    shown = capsys.readouterr().out
    assert "too few pairs to merge for the 4096" in shown
    assert get_tokenizer().get_vocab_size() < 4096


def test_shards_of_the_data_folder_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for name in ("a.parquet", "b.parquet"):
        parquet.write_table(pyarrow.table({"text": ["abracadabra " * 20] * 3}), tmp_path / name)
    tok_train.main(["--data-dir", str(tmp_path), "--vocab-size", "275"])
    assert "saved in" in capsys.readouterr().out
    assert len(get_tokenizer().encode("abracadabra abracadabra")) < 8


@pytest.mark.parametrize(
    ("flags", "status", "said"),
    [
        (["--vocab-size", "100"], 2, "--vocab-size must be 265 or more"),
        (["--max-chars=0"], 2, "--max-chars"),
        (["--vocab"], 2, "--vocab"),
        (["--data-dir", "missing folder"], 1, "no Parquet shard (*.parquet) in missing folder"),
    ],
)
def test_what_cannot_work_is_a_sentence_and_a_status(
    flags: list[str], status: int, said: str, tmp_path: Path
) -> None:
    done = run(*flags, base_dir=tmp_path)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_base_folder_that_cannot_be_made_is_known_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NANOCHAT_BASE_DIR", str(tmp_path / "file"))
    with pytest.raises(UserError, match="NANOCHAT_BASE_DIR"):
        tok_train.main([])
    assert capsys.readouterr().out == ""


def test_a_tokenizer_that_loses_text_is_reported() -> None:
    class Lossy:
        def encode(self, texts: list[str]) -> list[list[int]]:
            return [[0] for _ in texts]

        def decode(self, ids: list[int]) -> str:
            return "?"

    with pytest.raises(UserError, match="decoding does not give the text back"):
        tok_train.compression(Lossy(), ["abc"])  # type: ignore[arg-type]


def test_the_saved_tokenizer_goes_below_the_base_folder() -> None:
    tok_train.main(["--vocab-size=300", "--max-chars=1000", "--eval-chars=100"])
    assert sorted(path.name for path in get_base_dir().iterdir()) == ["tokenizer"]
