"""Talking to a model: turns read from tokens, one cache over a conversation, and the two chat scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_training
import torch
from nanochat.chat import ChatSession, complete, parse_turn
from nanochat.checkpoint_manager import build_meta, save_checkpoint
from nanochat.common import UserError
from nanochat.engine import Engine
from nanochat.gpt import GPTConfig
from nanochat.tasks import Facts
from scripts import base_eval, chat_cli, chat_eval

TOKENIZER = tiny_training.byte_tokenizer()


def ids(*pieces: str) -> list[int]:
    """Tokens of pieces of text; a piece that names a special token is that token."""
    specials = TOKENIZER.get_special_tokens()
    return [
        token
        for piece in pieces
        for token in ([TOKENIZER.encode_special(piece)] if piece in specials else TOKENIZER.encode(piece))
    ]


class Scripted:
    """A model that says what it is told to: one list of tokens for each turn of the assistant."""

    config = GPTConfig(sequence_len=64, vocab_size=265, n_layer=1, n_head=1, n_kv_head=1, n_embd=4)

    def __init__(self, *turns: list[int]) -> None:
        self.turns = iter(turns)
        self.current: Iterator[int] = iter(())
        self.read: list[list[int]] = []

    def get_device(self) -> torch.device:
        return torch.device("cpu")

    def forward(self, tokens: torch.Tensor, kv_cache=None) -> torch.Tensor:
        self.read.append(tokens[0].tolist())
        keys = torch.zeros(1, 1, tokens.size(1), 4)
        kv_cache.insert_kv(0, keys, keys)
        if tokens[0, -1] == TOKENIZER.encode_special("<|assistant_start|>"):
            self.current = iter(next(self.turns))
        logits = torch.zeros(1, tokens.size(1), 265)
        logits[0, -1, next(self.current)] = 9.0
        return logits


TOOL_CALL = ids("<|python_start|>", "6*7", "<|python_end|>")
FORCED = ids("<|output_start|>", "42", "<|output_end|>")
GOODBYE = ids("It is 42.", "<|assistant_end|>")


def scripted_call() -> list[int]:
    """What the model samples around a tool call: its samples are dropped while the output is forced."""
    return [*TOOL_CALL, *FORCED, *GOODBYE]


def test_a_turn_is_read_into_parts() -> None:
    turn = parse_turn([*TOOL_CALL, *FORCED, *GOODBYE], TOKENIZER)
    assert turn.parts == [
        {"type": "python", "text": "6*7"},
        {"type": "python_output", "text": "42"},
        {"type": "text", "text": "It is 42."},
    ]
    assert turn.text == "It is 42."
    assert turn.well_formed
    assert turn.tool_calls == 1
    assert turn.num_tokens == len([*TOOL_CALL, *FORCED, *GOODBYE])


def test_a_character_of_several_tokens_is_put_together() -> None:
    assert parse_turn(ids("naïve ☃", "<|assistant_end|>"), TOKENIZER).text == "naïve ☃"


@pytest.mark.parametrize(
    "tokens",
    [
        ids("no end"),
        ids("<|user_start|>", "x", "<|assistant_end|>"),
        ids("x", "<|bos|>"),
        ids("<|python_start|>", "6*7", "<|assistant_end|>"),
        ids("<|python_start|>", "six", "<|python_end|>", "seven", "<|assistant_end|>"),
        ids("<|python_end|>", "x", "<|assistant_end|>"),
        ids("<|output_start|>", "42", "<|output_end|>", "<|assistant_end|>"),
    ],
)
def test_a_turn_that_breaks_the_format_is_malformed(tokens: list[int]) -> None:
    assert not parse_turn(tokens, TOKENIZER).well_formed


def test_an_answer_calls_the_calculator() -> None:
    conversation = {"messages": [{"role": "user", "content": "6 times 7?"}]}
    turn = complete(Engine(Scripted(scripted_call()), TOKENIZER), conversation)
    assert turn.well_formed
    assert [part["text"] for part in turn.parts] == ["6*7", "42", "It is 42."]


def test_a_session_reads_every_token_once() -> None:
    model = Scripted(ids("Hello!", "<|assistant_end|>"), scripted_call())
    session = ChatSession(Engine(model, TOKENIZER))
    said = [
        "".join(text for kind, text in session.say(message) if kind == "text")
        for message in ("Hi", "6 times 7?")
    ]
    assert said == ["Hello!", "It is 42."]
    conversation = {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "6 times 7?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "python", "text": "6*7"},
                    {"type": "python_output", "text": "42"},
                    {"type": "text", "text": "It is 42."},
                ],
            },
        ]
    }
    expected, _ = TOKENIZER.render_conversation(conversation)
    assert session.tokens == expected
    # The last token ends the turn, and is read when the next begins.
    assert [token for tokens in model.read for token in tokens] == expected[:-1]
    assert session.cache.get_pos() == len(expected) - 1


def test_a_turn_that_is_cut_off_is_ended() -> None:
    model = Scripted(ids("for ever and ever"), ids("ok", "<|assistant_end|>"))
    session = ChatSession(Engine(model, TOKENIZER), max_tokens=3)
    assert "".join(text for _, text in session.say("Talk")) == "for"
    assert session.tokens[-1] == TOKENIZER.encode_special("<|assistant_end|>")
    assert "".join(text for kind, text in session.say("Stop") if kind == "text") == "ok"


def test_a_session_answers_as_one_that_reads_everything_again() -> None:
    model = tiny_training.random_model(n_layer=2)
    engine = Engine(model, TOKENIZER)
    session = ChatSession(engine, max_tokens=40)
    for message in ("one", "two and three", "four"):
        before = list(session.tokens)
        answer = list(session.say(message))
        prompt = before + ids("<|user_start|>", message, "<|user_end|>", "<|assistant_start|>")
        again = [column[0] for column, _ in engine.generate(prompt, max_tokens=40, temperature=0.0)]
        assert session.tokens[len(prompt) :][: len(again)] == again
        assert len(answer) == len(again)


def test_a_new_conversation_remembers_nothing() -> None:
    session = ChatSession(Engine(tiny_training.random_model(n_layer=2), TOKENIZER), max_tokens=20)
    first = list(session.say("hello"))
    list(session.say("and now for something else"))
    session.reset()
    assert session.cache.get_pos() == 0
    assert session.cache.kv_cache is None
    assert list(session.say("hello")) == first


def save_model(base_dir: Path, run: str) -> None:
    model = tiny_training.random_model()
    save_checkpoint(base_dir / run, 5, model.state_dict(), [], build_meta(model))
    TOKENIZER.save(base_dir / "tokenizer")


@pytest.fixture
def base_dir(tmp_path: Path) -> Path:
    return tmp_path / "base"


def test_the_command_line_answers_one_question(base_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(base_dir, "sft")
    chat_cli.main(["-p", "What is 6 times 7?", "--device", "cpu", "--max-tokens", "10"])
    assert capsys.readouterr().out.endswith("\n")


def test_the_command_line_shows_tool_calls_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    chat_cli.answer(ChatSession(Engine(Scripted(scripted_call()), TOKENIZER)), "6 times 7?")
    assert capsys.readouterr().out == "[6*7 = 42] It is 42.\n"


def test_commands_of_the_conversation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Scripted(*[ids(answer, "<|assistant_end|>") for answer in ("first", "second", "third")])
    session = ChatSession(Engine(model, TOKENIZER))
    typed = iter(["one", "", "two", "/new", "/dance", "three", "/quit", "four"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    chat_cli.talk(session)
    shown = capsys.readouterr().out
    assert [word for word in ("first", "second", "third") if f"nanochat: {word}\n" in shown] == [
        "first",
        "second",
        "third",
    ]
    assert "there is no command /dance" in shown
    assert next(typed) == "four"
    rendered, _ = TOKENIZER.render_conversation(
        {"messages": [{"role": "user", "content": "three"}, {"role": "assistant", "content": "third"}]}
    )
    assert session.tokens == rendered


def test_without_a_model_it_says_how_to_make_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        chat_cli.run_script(lambda: chat_cli.main(["-p", "Hi", "--device", "cpu"]))
    assert "python -m scripts.chat_sft" in str(exit.value.code)


def test_a_tokenizer_of_another_size_is_noticed(base_dir: Path) -> None:
    save_model(base_dir, "sft")
    bigger = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256}
    type(TOKENIZER)(bigger).save(base_dir / "tokenizer")
    with pytest.raises(UserError, match="266"):
        chat_cli.main(["-p", "Hi", "--device", "cpu"])


def test_evaluation_counts_right_and_malformed_answers() -> None:
    task = Facts(size=3)
    answers = [task[i]["messages"][1]["content"] for i in range(3)]
    model = Scripted(
        ids(answers[0], "<|assistant_end|>"),
        ids("Who knows?", "<|assistant_end|>"),
        ids("<|python_start|>", answers[2], "<|assistant_end|>"),
    )
    result = chat_eval.evaluate(Engine(model, TOKENIZER), "facts", task)
    assert (result.correct, result.total, result.malformed, result.tool_calls) == (1, 3, 1, 0)
    assert result.accuracy == pytest.approx(1 / 3)
    assert [wrong["reference"] for wrong in result.wrong] == answers[1:]


def test_the_evaluation_script_saves_what_it_found(
    base_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(base_dir, "sft")
    results = chat_eval.main(["--device", "cpu", "--max-problems", "2", "--max-tokens", "5"])
    assert [result.total for result in results] == [2] * len(chat_eval.suites())
    saved = json.loads((base_dir / "sft" / chat_eval.RESULTS_FILE).read_text())
    assert [suite["name"] for suite in saved["suites"]] == list(chat_eval.suites())
    assert "letter counts" in capsys.readouterr().out


def test_the_base_evaluation_reports_bits_and_samples(
    base_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(base_dir, "base")
    base_eval.main(["--device", "cpu", "--eval-tokens", "512", "--prompt", "import ", "--max-tokens", "4"])
    shown = capsys.readouterr().out
    assert "train:" in shown and "val:" in shown and "bits per byte" in shown
    assert "import " in shown
