from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nanochat.common import TREE_ROOT, UserError
from nanochat.dataset import GROUP_SIZE, MAX_CHARS, MIN_CHARS, PythonGroups, document_groups, split_text


def all_documents(groups: object) -> list[str]:
    return [document for group in groups for document in group]  # type: ignore[attr-defined]


def test_the_default_corpus_is_python_text_in_full_groups() -> None:
    groups = list(document_groups("train"))
    assert [len(group) for group in groups[:-1]] == [GROUP_SIZE] * (len(groups) - 1)
    assert 1 <= len(groups[-1]) <= GROUP_SIZE
    text = "".join(all_documents(groups))
    assert len(text) > 2_000_000
    assert text.count("import ") > 1_000
    assert max(map(len, all_documents(groups))) < 2 * MAX_CHARS


def test_the_default_corpus_has_the_language_reference_as_plain_text() -> None:
    pytest.importorskip("pydoc_data.topics")
    assert any(
        document.startswith('The "assert" statement\n*****')
        for document in all_documents(document_groups("train"))
    )


def test_groups_can_be_read_again_and_are_the_same_in_another_process() -> None:
    groups = document_groups("val")
    first = list(groups)
    assert list(groups) == first
    code = "import hashlib\nfrom nanochat.dataset import document_groups\n"
    code += "print(hashlib.sha256(repr(list(document_groups('val'))).encode()).hexdigest())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TREE_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == hashlib.sha256(repr(first).encode()).hexdigest()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_stripes_share_the_groups_out(step: int) -> None:
    whole = list(document_groups("val"))
    for start in range(step):
        assert list(document_groups("val", start=start, step=step)) == whole[start::step]


def make_stdlib(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_every_file_is_in_one_split_and_most_are_for_training(tmp_path: Path) -> None:
    stdlib = make_stdlib(tmp_path, {f"{i}.py": f"# {i}\n".encode() for i in range(300)})
    train, val = (all_documents(PythonGroups(stdlib, split)) for split in ("train", "val"))
    assert sorted(train + val) == sorted(f"# {i}\n" for i in range(300))
    assert 10 < len(val) < 60


def test_test_data_packages_and_what_is_not_utf8_are_left_out(tmp_path: Path) -> None:
    files = {f"{letter}.py": f"# {letter}\n".encode() for letter in "abcdefghijklmnopqrstuvwxyz"}
    skipped = (
        "site-packages/s.py",
        "test/t.py",
        "x/tests/t.py",
        "encodings/cp1.py",
        "_sysconfigdata_x.py",
        "r.txt",
    )
    files |= dict.fromkeys(skipped, b"# skipped\n")
    files |= {"latin.py": "# é\n".encode("latin-1"), "empty.py": b"", "windows.py": b"# w\r\n# x\r\n"}
    stdlib = make_stdlib(tmp_path, files)
    found = all_documents(PythonGroups(stdlib, "train")) + all_documents(PythonGroups(stdlib, "val"))
    expected = [f"# {letter}\n" for letter in "abcdefghijklmnopqrstuvwxyz"] + ["# w\n# x\n"]
    assert sorted(found) == sorted(expected)


def test_a_garbled_language_reference_is_left_out(tmp_path: Path) -> None:
    names = [f"{i}.py" for i in range(30)]
    stdlib = make_stdlib(tmp_path, dict.fromkeys(names, b"x\n") | {"pydoc_data/topics.py": b"topics = {"})
    found = all_documents(PythonGroups(stdlib, "train")) + all_documents(PythonGroups(stdlib, "val"))
    assert found == ["x\n"] * 30


def test_a_python_without_sources_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="NANOCHAT_DATA_DIR"):
        PythonGroups(tmp_path, "train")
    with pytest.raises(UserError, match="NANOCHAT_DATA_DIR"):
        PythonGroups(tmp_path / "missing", "train")


def test_unknown_splits_are_refused() -> None:
    with pytest.raises(ValueError, match="'test'"):
        document_groups("test")


def test_a_short_text_is_one_document() -> None:
    assert list(split_text("a = 1\n\n\nb = 2\n")) == ["a = 1\n\n\nb = 2\n"]
    assert list(split_text("")) == []


def test_a_long_text_is_cut_before_top_level_statements() -> None:
    function = "def f():\n" + "    x = 1\n\n" * 100 + "\n"
    documents = list(split_text(function * 20))
    assert "".join(documents) == function * 20
    assert len(documents) > 3
    assert all(document.startswith("def f():") for document in documents)
    assert all(len(document) >= MIN_CHARS for document in documents[:-1])


def test_a_text_without_statements_is_cut_between_lines() -> None:
    text = "    word word word\n" * 5000
    documents = list(split_text(text))
    assert "".join(documents) == text
    assert all(document.endswith("\n") and len(document) < MAX_CHARS + 20 for document in documents)


def write_shard(path: Path, texts: list[str | None], row_group_size: int = 2, column: str = "text") -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(
        pyarrow.table({column: texts, "id": list(range(len(texts)))}), path, row_group_size=row_group_size
    )


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    write_shard(folder / "shard_00001.parquet", ["d", "e", "f"])
    write_shard(folder / "shard_00000.parquet", ["a", None, "b", "c", "é"])
    write_shard(folder / "shard_00002.parquet", ["v", "w", "x"])
    (folder / "notes.txt").write_text("not a shard")
    return folder


def test_row_groups_are_groups_and_the_last_shard_is_for_validation(shards: Path) -> None:
    train = document_groups("train", shards)
    assert list(train) == [["a"], ["b", "c"], ["é"], ["d", "e"], ["f"]]
    assert list(train) == list(train)
    assert list(document_groups("val", str(shards))) == [["v", "w"], ["x"]]


def test_stripes_run_across_shards(shards: Path) -> None:
    assert list(document_groups("train", shards, start=1, step=2)) == [["b", "c"], ["d", "e"]]
    assert list(document_groups("train", shards, start=2, step=3)) == [["é"]]
    assert list(document_groups("train", shards, start=9, step=10)) == []


def test_the_data_folder_may_come_from_the_environment(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NANOCHAT_DATA_DIR", str(shards))
    assert all_documents(document_groups("val")) == ["v", "w", "x"]


def test_one_row_group_is_read_at_a_time(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet

    read: list[int] = []
    original = parquet.ParquetFile.read_row_group

    def counting(self: object, i: int, **options: object) -> object:
        read.append(i)
        return original(self, i, **options)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_group", counting)
    groups = iter(document_groups("train", shards, start=1))
    assert read == []
    next(groups)
    assert read == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_shards_larger_than_memory_are_streamed(tmp_path: Path) -> None:
    """The loader's stream over 640 MB of text, with room for less than half of it."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    group = pyarrow.table({"text": [f"{i} " + "a text of a kilobyte " * 48 for i in range(1000)]})
    for name, groups in (("0.parquet", 640), ("1.parquet", 1)):
        with parquet.ParquetWriter(tmp_path / name, group.schema) as shard:
            for _ in range(groups):
                shard.write_table(group)
    code = """
import resource, sys
from pyarrow import parquet
from nanochat.dataset import document_groups

with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (280 << 20),) * 2)
if sys.argv[2] == "whole":
    parquet.read_table(sys.argv[1] + "/0.parquet")
else:
    print(sum(len(text) for group in document_groups("train", sys.argv[1]) for text in group))
"""

    def read(how: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, str(tmp_path), how]
        environment = {**os.environ, "PYTHONPATH": str(TREE_ROOT), "ARROW_DEFAULT_MEMORY_POOL": "system"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert read("whole").returncode != 0, "the limit limits nothing"
    streamed = read("streamed")
    assert streamed.returncode == 0, streamed.stderr
    assert int(streamed.stdout) == 640 * sum(len(text) for text in group["text"].to_pylist())


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_shards_are_a_sentence(tmp_path: Path, count: int) -> None:
    pytest.importorskip("pyarrow")
    for i in range(count):
        write_shard(tmp_path / f"{i}.parquet", ["a"])
    with pytest.raises(UserError, match="put two or more there"):
        document_groups("train", tmp_path)


def test_a_folder_that_is_missing_is_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(UserError, match="missing"):
        document_groups("val", tmp_path / "missing")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all" * 10])
def test_a_damaged_shard_is_named(shards: Path, content: bytes) -> None:
    (shards / "shard_00001.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"shard_00001\.parquet cannot be read"):
        list(document_groups("train", shards))


def test_a_truncated_shard_is_named(shards: Path) -> None:
    path = shards / "shard_00000.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match=r"shard_00000\.parquet cannot be read"):
        list(document_groups("train", shards))


def test_a_shard_without_text_is_named(shards: Path) -> None:
    write_shard(shards / "shard_00000.parquet", ["a"], column="content")
    with pytest.raises(UserError, match=r'shard_00000\.parquet has no column "text"'):
        list(document_groups("train", shards))


def test_without_pyarrow_there_is_a_sentence(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="pip install"):
        document_groups("train", shards)
