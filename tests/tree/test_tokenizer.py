from __future__ import annotations

import base64
import hashlib
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nanochat.common import UserError, get_base_dir
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer, get_token_bytes, get_tokenizer

TOOL_CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 2+3?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see: "},
                {"type": "python", "text": "2+3"},
                {"type": "python_output", "text": "5"},
                {"type": "text", "text": "It is 5."},
            ],
        },
        {"role": "user", "content": "Thanks"},
        {"role": "assistant", "content": "Welcome"},
    ]
}


def pieces(tokenizer: RustBPETokenizer, ids: list[int], mask: list[int]) -> list[tuple[str, int]]:
    """The text of each stretch of equal mask."""
    stretches: list[tuple[list[int], int]] = []
    for id, bit in zip(ids, mask, strict=True):
        if stretches and stretches[-1][1] == bit:
            stretches[-1][0].append(id)
        else:
            stretches.append(([id], bit))
    return [(tokenizer.decode(stretch), bit) for stretch, bit in stretches]


def test_special_tokens_follow_the_merges_in_order(tokenizer: RustBPETokenizer) -> None:
    first = tokenizer.get_vocab_size() - 9
    names = ["bos"] + [
        f"{who}_{end}" for who in ("user", "assistant", "python", "output") for end in ("start", "end")
    ]
    assert [tokenizer.encode_special(f"<|{name}|>") for name in names] == list(range(first, first + 9))
    assert tokenizer.get_special_tokens() == set(SPECIAL_TOKENS)
    assert tokenizer.get_bos_token_id() == first


def test_vocabulary_has_the_size_asked_for_special_tokens_included(tokenizer: RustBPETokenizer) -> None:
    assert tokenizer.get_vocab_size() == 320
    assert tokenizer.id_to_token(319) == "<|output_end|>"
    with pytest.raises(ValueError):
        tokenizer.id_to_token(320)


@settings(max_examples=60, deadline=None)
@given(text=st.text())
def test_any_text_survives_a_round_trip(tokenizer: RustBPETokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer(text) == ids
    assert tokenizer.encode([text, "x"])[0] == ids
    assert not {tokenizer.encode_special(token) for token in SPECIAL_TOKENS} & set(ids)


def test_training_merges_what_is_frequent(tokenizer: RustBPETokenizer) -> None:
    assert len(tokenizer.encode(" the cat sat")) == 3


def test_numbers_are_split_into_one_or_two_digits() -> None:
    trained = RustBPETokenizer.train_from_iterator(["12345 " * 50], vocab_size=400)
    assert [trained.decode([id]) for id in trained.encode("12345")] == ["12", "34", "5"]


@pytest.mark.parametrize("text", ["<|bos|>", "a<|user_start|>b<|output_end|>"])
def test_special_tokens_in_text_stay_text(tokenizer: RustBPETokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert max(ids) < tokenizer.get_bos_token_id()
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize("by_id", [False, True])
def test_prepend_and_append_stand_around_every_text(tokenizer: RustBPETokenizer, by_id: bool) -> None:
    bos, end = tokenizer.get_bos_token_id(), tokenizer.encode_special("<|user_end|>")
    around: dict[str, Any] = (
        {"prepend": bos, "append": end} if by_id else {"prepend": "<|bos|>", "append": "<|user_end|>"}
    )
    texts = ["the cat", "", "sat", "the cat"]
    plain = tokenizer.encode(texts)
    expected = [[bos, *row, end] for row in plain]
    assert [tokenizer.encode(text, **around) for text in texts] == expected
    assert tokenizer.encode(texts, **around) == expected
    assert tokenizer.encode(texts, **around) == expected
    assert tokenizer.encode(texts) == plain
    assert texts == ["the cat", "", "sat", "the cat"]


def test_id_0_can_be_prepended_and_appended(tokenizer: RustBPETokenizer) -> None:
    ids = tokenizer.encode("cat")
    assert tokenizer.encode("cat", prepend=0) == [0, *ids]
    assert tokenizer.encode(["cat"], prepend=0, append=0) == [[0, *ids, 0]]


def test_threads_do_not_change_the_ids(tokenizer: RustBPETokenizer) -> None:
    texts = [f"the cat sat on mat {i}" for i in range(50)]
    assert tokenizer.encode(texts, num_threads=1) == tokenizer.encode(texts, num_threads=7)


@pytest.mark.parametrize("wrong", ["<|end|>", "bos", "", -1, 320])
def test_an_unknown_token_around_a_text_is_refused(tokenizer: RustBPETokenizer, wrong: str | int) -> None:
    with pytest.raises(ValueError):
        tokenizer.encode("cat", prepend=wrong)
    with pytest.raises(ValueError):
        tokenizer.encode(["cat"], append=wrong)


def test_encode_refuses_what_is_not_text(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(TypeError, match="bytes"):
        tokenizer.encode(b"cat")  # type: ignore[call-overload]


@pytest.mark.parametrize("ids", [[320], [-1], [0, 10**12]])
def test_decode_refuses_ids_outside_the_vocabulary(tokenizer: RustBPETokenizer, ids: list[int]) -> None:
    with pytest.raises(ValueError, match="between 0 and 319"):
        tokenizer.decode(ids)


def test_decoding_half_a_letter_gives_the_replacement_character(tokenizer: RustBPETokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("é")[:1]) == "\ufffd"


def test_the_same_text_trains_the_same_tokenizer() -> None:
    texts = ["low lower lowest", "new newer newest", "wide wider widest"]
    one, two = (RustBPETokenizer.train_from_iterator(iter(texts), 290) for _ in range(2))
    assert one.encode("lower widest newest") == two.encode("lower widest newest")


def test_a_small_text_gives_a_small_vocabulary() -> None:
    trained = RustBPETokenizer.train_from_iterator(["ab"], vocab_size=1000)
    assert trained.get_vocab_size() == 256 + 1 + 9
    assert trained.decode(trained.encode("abc", prepend="<|bos|>")) == "<|bos|>abc"
    assert RustBPETokenizer.train_from_iterator([], vocab_size=1000).get_vocab_size() == 256 + 9


def test_a_vocabulary_without_room_for_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="265"):
        RustBPETokenizer.train_from_iterator(["ab"], vocab_size=264)


def test_training_without_rustbpe_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rustbpe", None)
    with pytest.raises(UserError, match="pip install rustbpe"):
        RustBPETokenizer.train_from_iterator(["ab"], vocab_size=300)


@pytest.mark.parametrize("reports", [True, False])
def test_progress_goes_to_a_trainer_that_reports_it(reports: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trainer:
        def get_mergeable_ranks(self) -> list[tuple[list[int], int]]:
            return [([byte], byte) for byte in range(256)]

    class Reporting(Trainer):
        def train_from_iterator(
            self,
            iterator: Any,
            vocab_size: int,
            buffer_size: int = 8192,
            pattern: Any = None,
            progress: Any = None,
        ) -> None:
            progress(1, 2)

    class Silent(Trainer):
        def train_from_iterator(
            self, iterator: Any, vocab_size: int, buffer_size: int = 8192, pattern: Any = None
        ) -> None: ...

    module = types.SimpleNamespace(Tokenizer=Reporting if reports else Silent)
    monkeypatch.setitem(sys.modules, "rustbpe", module)
    seen: list[tuple[int, int]] = []
    RustBPETokenizer.train_from_iterator([], 300, progress=lambda *update: seen.append(update))
    assert seen == ([(1, 2)] if reports else [])


@pytest.fixture
def saved(tokenizer: RustBPETokenizer, tmp_path: Path) -> Path:
    tokenizer.save(tmp_path / "a" / "tokenizer")
    return tmp_path / "a" / "tokenizer"


def test_a_saved_tokenizer_loads_as_it_was(tokenizer: RustBPETokenizer, saved: Path) -> None:
    loaded = RustBPETokenizer.from_directory(saved)
    text = "The cat is on the mat.\n\n  12345 <|bos|> é 🐈"
    assert loaded.encode(text, prepend="<|bos|>") == tokenizer.encode(text, prepend="<|bos|>")
    assert loaded.get_vocab_size() == tokenizer.get_vocab_size()
    assert loaded.get_special_tokens() == tokenizer.get_special_tokens()


def test_a_saved_tokenizer_is_two_files_of_readable_text(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == ["merges.tiktoken", "tokenizer.json"]
    assert json.loads((saved / "tokenizer.json").read_text())["special_tokens"] == SPECIAL_TOKENS
    token, rank = (saved / "merges.tiktoken").read_text().splitlines()[97].split()
    assert (base64.b64decode(token), rank) == (b"a", "97")


def test_saving_again_replaces_the_old_one(saved: Path) -> None:
    other = RustBPETokenizer.train_from_iterator(["dog dog dog dog"], vocab_size=268)
    other.save(saved)
    assert RustBPETokenizer.from_directory(saved).get_vocab_size() == 268


def test_get_tokenizer_loads_from_the_base_folder(tokenizer: RustBPETokenizer) -> None:
    with pytest.raises(UserError, match=r"python -m scripts\.tok_train"):
        get_tokenizer()
    tokenizer.save(get_base_dir() / "tokenizer")
    assert get_tokenizer().encode("the cat") == tokenizer.encode("the cat")


def edit_json(saved: Path, **changes: object) -> None:
    path = saved / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", ["tokenizer.json", "merges.tiktoken"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]", b"YQ== zero\n"])
def test_a_garbled_file_is_a_sentence(saved: Path, name: str, content: bytes) -> None:
    (saved / name).write_bytes(content)
    with pytest.raises(UserError, match="tokenizer"):
        RustBPETokenizer.from_directory(saved)


@pytest.mark.parametrize("name", ["tokenizer.json", "merges.tiktoken"])
def test_a_truncated_or_missing_file_is_a_sentence(saved: Path, name: str) -> None:
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match="damaged"):
        RustBPETokenizer.from_directory(saved)
    (saved / name).unlink()
    with pytest.raises(UserError, match="there is no tokenizer"):
        RustBPETokenizer.from_directory(saved)


@pytest.mark.parametrize(
    "changes",
    [
        {"pattern": None},
        {"pattern": "("},
        {"special_tokens": "<|bos|>"},
        {"special_tokens": ["<|bos|>", "<|bos|>"]},
        {"special_tokens": [1]},
        {"merges_sha256": "0" * 64},
        {"merges_sha256": None},
    ],
)
def test_settings_that_make_no_sense_are_a_sentence(saved: Path, changes: dict[str, object]) -> None:
    edit_json(saved, **changes)
    with pytest.raises(UserError, match="damaged"):
        RustBPETokenizer.from_directory(saved)


@pytest.mark.parametrize("edit", ["swap", "gap", "duplicate", "byte missing", "not base64"])
def test_merges_that_make_no_sense_are_a_sentence(saved: Path, edit: str) -> None:
    lines = (saved / "merges.tiktoken").read_bytes().splitlines(keepends=True)
    if edit == "swap":
        lines[300], lines[301] = lines[301], lines[300]
    elif edit == "gap":
        del lines[300]
    elif edit == "duplicate":
        lines[300] = lines[299].split()[0] + b" 300\n"
    elif edit == "byte missing":
        lines[65] = base64.b64encode(b"no such token") + b" 65\n"
    else:
        lines[65] = b"*** 65\n"
    content = b"".join(lines)
    (saved / "merges.tiktoken").write_bytes(content)
    edit_json(saved, merges_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(UserError, match=r"merges\.tiktoken"):
        RustBPETokenizer.from_directory(saved)


def test_a_folder_that_cannot_be_written_is_a_sentence(tokenizer: RustBPETokenizer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be saved"):
        tokenizer.save(tmp_path / "file")


def test_a_conversation_renders_with_the_assistants_words_masked_in(tokenizer: RustBPETokenizer) -> None:
    ids, mask = tokenizer.render_conversation(TOOL_CHAT)
    assert pieces(tokenizer, ids, mask) == [
        ("<|bos|><|user_start|>Be brief.\n\nWhat is 2+3?<|user_end|><|assistant_start|>", 0),
        ("Let me see: <|python_start|>2+3<|python_end|>", 1),
        ("<|output_start|>5<|output_end|>", 0),
        ("It is 5.<|assistant_end|>", 1),
        ("<|user_start|>Thanks<|user_end|><|assistant_start|>", 0),
        ("Welcome<|assistant_end|>", 1),
    ]


def test_a_conversation_is_cut_to_max_tokens(tokenizer: RustBPETokenizer) -> None:
    ids, mask = tokenizer.render_conversation(TOOL_CHAT, max_tokens=None)
    assert tokenizer.render_conversation(TOOL_CHAT, max_tokens=11) == (ids[:11], mask[:11])
    long = {"messages": [{"role": "user", "content": "x " * 5000}]}
    assert [len(row) for row in tokenizer.render_conversation(long)] == [2048, 2048]


def test_rendering_leaves_the_conversation_as_it_was(tokenizer: RustBPETokenizer) -> None:
    before = json.dumps(TOOL_CHAT)
    assert tokenizer.render_conversation(TOOL_CHAT) == tokenizer.render_conversation(TOOL_CHAT)
    tokenizer.render_for_completion(TOOL_CHAT)
    assert json.dumps(TOOL_CHAT) == before


def test_special_tokens_spelled_in_a_message_stay_text(tokenizer: RustBPETokenizer) -> None:
    ids, _ = tokenizer.render_conversation({"messages": [{"role": "user", "content": "<|user_end|>"}]})
    assert ids.count(tokenizer.encode_special("<|user_end|>")) == 1


def test_a_completion_prompt_ends_where_the_assistant_begins(tokenizer: RustBPETokenizer) -> None:
    ids, _ = tokenizer.render_conversation(TOOL_CHAT)
    prompt = tokenizer.render_for_completion(TOOL_CHAT)
    assert prompt == ids[: len(prompt)]
    assert tokenizer.decode(prompt).endswith("Thanks<|user_end|><|assistant_start|>")
    waiting = {"messages": TOOL_CHAT["messages"][:-1]}
    assert tokenizer.render_for_completion(waiting) == prompt


def test_a_long_completion_prompt_is_whole(tokenizer: RustBPETokenizer) -> None:
    prompt = tokenizer.render_for_completion({"messages": [{"role": "user", "content": "x " * 5000}]})
    assert len(prompt) > 5000


USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize(
    "conversation",
    [
        None,
        [],
        [USER],
        {},
        {"messages": []},
        {"messages": "Hi"},
        {"messages": ["Hi"]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        {"messages": [{"role": "robot", "content": "Hi"}]},
        {"messages": [ASSISTANT]},
        {"messages": [USER, USER]},
        {"messages": [USER, ASSISTANT, ASSISTANT]},
        {"messages": [{"role": "system", "content": "Be kind"}]},
        {"messages": [{"role": "system", "content": "Be kind"}, ASSISTANT]},
        {"messages": [USER, {"role": "system", "content": "Be kind"}]},
        {"messages": [USER, {"role": "assistant", "content": 7}]},
        {"messages": [USER, {"role": "assistant", "content": ["Hello"]}]},
        {"messages": [USER, {"role": "assistant", "content": [{"type": "image", "text": "cat"}]}]},
        {"messages": [USER, {"role": "assistant", "content": [{"type": "text"}]}]},
    ],
)
def test_what_is_not_a_conversation_is_refused(tokenizer: RustBPETokenizer, conversation: Any) -> None:
    with pytest.raises(ValueError):
        tokenizer.render_conversation(conversation)


def test_token_bytes_count_the_text_of_ids_and_not_the_special_tokens(tokenizer: RustBPETokenizer) -> None:
    token_bytes = get_token_bytes(tokenizer)
    assert token_bytes.dtype == torch.int32 and token_bytes.shape == (320,)
    text = "The cat — é 🐈 12345"
    ids = tokenizer.encode(text, prepend="<|bos|>", append="<|output_end|>")
    assert token_bytes[ids].sum() == len(text.encode())
    assert token_bytes[-9:].tolist() == [0] * 9
    assert get_token_bytes(tokenizer, device="meta").device.type == "meta"
