"""What measurements are made of: tokenizers that stand in, errors as data, the length of an epoch."""

from __future__ import annotations

from random import Random

import pytest

from bughunt.lab.expected.streams import flat_stream
from bughunt.lab.measuring.attempts import attempt, describe_error, trouble
from bughunt.lab.measuring.plans import draw_ids, tokens_of
from bughunt.lab.measuring.streams import draw_stream, epoch_length
from bughunt.lab.measuring.tokenizers import CharacterTokenizer, WordTokenizer
from bughunt.lab.measuring.weights import length

WORDS = WordTokenizer({"one": 5, "two": 3}, bos=0)
IDS = draw_ids(Random(1))
CHARACTERS = CharacterTokenizer(IDS)


class TestTokenizers:
    def test_words(self) -> None:
        assert WORDS.encode("two one two") == [3, 5, 3]
        assert WORDS.encode(["one", ""], prepend="<|bos|>", append=5) == [[0, 5, 5], [0, 5]]
        assert WORDS("one", prepend=0) == [0, 5]
        assert WORDS.decode([0, 3, 5]) == "<|bos|> two one"
        assert (WORDS.get_bos_token_id(), WORDS.get_vocab_size()) == (0, 6)
        assert WORDS.get_special_tokens() == {"<|bos|>"}

    def test_a_bos_of_the_largest_id_counts(self) -> None:
        assert WordTokenizer({"one": 5}, bos=9).get_vocab_size() == 10

    def test_characters(self) -> None:
        """12 and 30 are tokens, as their digits' sums are multiples of 3; 1 and 4 are one each."""
        assert CHARACTERS.encode("a1230 14") == [IDS[name] for name in ("a", "12", "30", " ", "1", "4")]
        assert CHARACTERS.decode(CHARACTERS.encode("a1230 14")) == "a1230 14"
        assert CHARACTERS.encode(["a"], prepend="<|bos|>") == [[IDS["<|bos|>"], IDS["a"]]]
        assert CHARACTERS.decode([10_000]) == "?"

    @pytest.mark.parametrize("tokenizer", [WORDS, CHARACTERS], ids=["words", "characters"])
    def test_what_is_no_special_token(self, tokenizer: WordTokenizer | CharacterTokenizer) -> None:
        with pytest.raises(ValueError, match="one"):
            tokenizer.encode_special("one")

    def test_a_plan_is_what_its_text_is_encoded_to(self) -> None:
        """Except for its calls, which are one character a token."""
        plan = {"parts": [{"text": "hm "}, {"call": "6+6", "result": "12"}], "end": "<|bos|>"}
        names = [name for name, _ in tokens_of(plan)]
        assert names == [
            *"hm ",
            *("<|python_start|>", "6", "+", "6", "<|python_end|>"),
            *("<|output_start|>", "12", "<|output_end|>", "<|bos|>"),
        ]
        assert [name for name, forced in tokens_of(plan) if forced] == names[8:11]


class TestAttempts:
    def test_what_succeeds(self) -> None:
        assert attempt(divmod, 7, 2) == (3, 1)
        assert trouble(divmod, 7, 2) is None

    def test_what_fails(self) -> None:
        assert attempt(int, "x") == {"error": trouble(int, "x")}
        assert str(trouble(int, "x")).startswith("ValueError: invalid literal")

    def test_an_error_is_one_short_line(self) -> None:
        assert describe_error(RuntimeError("\n too large\nat a place in a file")) == "RuntimeError: too large"
        assert len(describe_error(RuntimeError("x" * 1000))) == 300

    def test_what_ends_the_process_is_no_error(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            attempt(raise_interrupt)


def raise_interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(("rank", "world_size"), [(0, 1), (0, 3), (2, 3)])
def test_an_epoch_has_as_many_tokens_as_are_read(rank: int, world_size: int) -> None:
    stream = draw_stream(Random(3), groups=6, largest_id=500)
    assert epoch_length(stream, rank, world_size) == len(flat_stream(stream, rank, world_size))


def test_the_length_of_gradients() -> None:
    assert length({"a": [[3.0], [0.0]], "b": None, "c": [[0.0, 4.0]]}) == 5.0
