"""The conversations that fine-tuning learns from: right, repeatable, and never shared between the splits."""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from nanochat.calculator import use_calculator
from nanochat.tasks import (
    Arithmetic,
    Dialogue,
    Facts,
    LetterCount,
    Mixture,
    Spelling,
    Task,
    num_characters,
    reference_text,
    rounded_quotient,
    training_mixture,
    validation_mixture,
    words,
)
from nanochat.tokenizer import RustBPETokenizer

TASKS = [Arithmetic, Spelling, LetterCount, Facts]
KINDS = [("train", "train"), ("test", "train"), ("train", "held_out"), ("test", "held_out")]


def question(conversation: dict) -> str:
    return conversation["messages"][0]["content"]


def quoted(text: str) -> list[str]:
    return re.findall(r'"(\w+)"', text)


def operands(text: str) -> frozenset[int]:
    """The two operands in a question (the number of decimal places has one digit)."""
    return frozenset(int(number) for number in re.findall(r"\d\d+", text))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("task_class", TASKS)
def test_every_problem_is_well_formed_and_answered_by_its_reference(
    task_class: type[Task], kind: tuple[str, str]
) -> None:
    split, phrasings = kind
    task = task_class(split, phrasings=phrasings, size=300)
    tokenizer = RustBPETokenizer({bytes([byte]): byte for byte in range(256)})
    for index in range(len(task)):
        conversation = task[index]
        ids, mask = tokenizer.render_conversation(conversation)
        assert sum(mask) > 0 and len(ids) < 250
        assert "{" not in question(conversation)
        assert task.evaluate(conversation, reference_text(conversation))
        assert not task.evaluate(conversation, "I do not know.")


@pytest.mark.parametrize("task_class", [Arithmetic, LetterCount])
def test_tool_calls_hold_what_the_calculator_says(task_class: type[Task]) -> None:
    for index in range(200):
        call, output, text = task_class()[index]["messages"][1]["content"]
        assert (call["type"], output["type"], text["type"]) == ("python", "python_output", "text")
        assert use_calculator(call["text"]) == output["text"]
        assert text["text"] == f"The answer is {output['text']}."


def test_arithmetic_is_right() -> None:
    """The reference against exact arithmetic on the question's own words."""
    seen = set()
    for index in range(400):
        conversation = Arithmetic("test", phrasings="held_out", size=400)[index]
        text = question(conversation)
        a, b = (int(number) for number in re.findall(r"\d\d+", text))
        answer = Fraction(reference_text(conversation).split()[-1].rstrip("."))
        if "plus" in text or "sum" in text or "add" in text:
            seen.add("+")
            assert answer == a + b
        elif "minus" in text or "difference" in text:
            seen.add("-")
            assert answer == a - b
        elif "subtract" in text:
            seen.add("-")
            assert answer == b - a
        elif "times" in text or "product" in text or "multiply" in text:
            seen.add("*")
            assert answer == a * b
        else:
            seen.add("/")
            places = int(re.search(r"(\d) decimal place", text)[1])
            exact = Decimal(a) / Decimal(b)
            assert answer == Fraction(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    assert seen == set("+-*/")


@pytest.mark.parametrize("places", [1, 2, 3, 4])
def test_quotients_are_rounded_half_up(places: int) -> None:
    for a in range(10, 100, 7):
        for b in range(10, 100):
            exact = Decimal(a) / Decimal(b)
            expected = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
            assert Decimal(use_calculator(rounded_quotient(a, b, places))) == expected


def test_letter_counts_are_right() -> None:
    for index in range(200):
        conversation = LetterCount()[index]
        letter, word = sorted(quoted(question(conversation)), key=len)
        assert reference_text(conversation) == f"The answer is {word.count(letter)}."


def test_spelling_is_right() -> None:
    for index in range(100):
        conversation = Spelling()[index]
        assert reference_text(conversation).replace(" ", "") == quoted(question(conversation))[0]


def test_no_operands_are_in_both_splits() -> None:
    train = {operands(question(Arithmetic("train", size=5000)[i])) for i in range(5000)}
    for phrasings in ("train", "held_out"):
        test = {operands(question(Arithmetic("test", phrasings=phrasings)[i])) for i in range(1000)}
        assert len(test) > 200
        assert not train & test


@pytest.mark.parametrize("task_class", [Spelling, LetterCount])
def test_no_word_is_in_both_splits(task_class: type[Task]) -> None:
    train = {max(quoted(question(task_class("train")[i])), key=len) for i in range(5000)}
    test = {max(quoted(question(task_class("test")[i])), key=len) for i in range(1000)}
    assert len(test) > 200
    assert not train & test
    assert not set(words("train")) & set(words("test"))


@pytest.mark.parametrize("task_class", TASKS)
def test_no_phrasing_is_in_both(task_class: type[Task]) -> None:
    def phrasings(which: str) -> set[str]:
        task = task_class("train", phrasings=which, size=3000)
        texts = (question(task[index]) for index in range(3000))
        texts = (re.sub(r'"\w+"', '"_"', text) for text in texts)
        return {
            re.sub(r"\d+ decimal places?", "P", text).translate(str.maketrans("123456789", "0" * 9))
            for text in texts
        }

    train, held_out = phrasings("train"), phrasings("held_out")
    assert len(train) > len(held_out) >= 3
    assert not train & held_out


def test_the_training_mixture_holds_nothing_that_is_held_out() -> None:
    held_out_words = set(words("test"))
    mixture = training_mixture()
    for index in range(0, len(mixture), 9):
        for message in mixture[index]["messages"]:
            if message["role"] == "user":
                assert not set(quoted(message["content"])) & held_out_words, message


def test_a_problem_depends_on_seed_and_index_alone() -> None:
    for task_class in TASKS:
        assert [task_class(seed=3)[i] for i in range(20)] == [task_class(seed=3)[i] for i in range(20)]
        assert [task_class(seed=3)[i] for i in range(20)] != [task_class(seed=4)[i] for i in range(20)]


def test_problems_are_the_same_in_another_process() -> None:
    program = "from nanochat.tasks import training_mixture as m; print([m(1)[i] for i in range(5)])"
    tree = Path(__file__).resolve().parents[2] / "nanochat"
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=tree,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] == f"{[training_mixture(1)[i] for i in range(5)]}\n"


def test_a_mixture_holds_every_problem_once() -> None:
    tasks = [Arithmetic(size=50), Spelling(size=30)]
    mixture = Mixture(tasks, seed=1)
    everything = [str(task[i]) for task in tasks for i in range(len(task))]
    assert len(mixture) == 80
    assert sorted(str(mixture[i]) for i in range(80)) == sorted(everything)
    assert [str(mixture[i]) for i in range(80)] != everything


def test_a_mixture_sorts_each_stretch_by_length() -> None:
    tasks = [Arithmetic(size=50), Facts(size=30)]
    shuffled, by_length = Mixture(tasks, seed=1), Mixture(tasks, seed=1, sorted_stretch=16)
    for first in range(0, 80, 16):
        stretch = [by_length[first + i] for i in range(16)]
        assert stretch == sorted((shuffled[first + i] for i in range(16)), key=num_characters)


def test_dialogues_take_turns() -> None:
    task = Dialogue([Arithmetic(), Facts()], size=50)
    for index in range(50):
        roles = [message["role"] for message in task[index]["messages"]]
        assert roles == ["user", "assistant"] * 2


def test_the_validation_mixture_is_held_out() -> None:
    mixture = validation_mixture()
    train_words = set(words("train"))
    for index in range(len(mixture)):
        asked = [word for word in quoted(question(mixture[index])) if len(word) > 1]
        assert not set(asked) & train_words


@pytest.mark.parametrize(
    ("task", "response", "is_right"),
    [
        (Arithmetic(), "The answer is {}.", True),
        (Arithmetic(), "{}", True),
        (Arithmetic(), "The answer is {}1.", False),
        (Arithmetic(), "The answer is -{}.", False),
        (Arithmetic(), "", False),
        (LetterCount(), "There are {}", True),
        (LetterCount(), "There are {} of 7", False),
    ],
)
def test_answers_are_judged_by_their_number(task: Task, response: str, is_right: bool) -> None:
    conversation = next(task[i] for i in range(100) if "-" not in reference_text(task[i]))
    number = reference_text(conversation).split()[-1].rstrip(".")
    assert task.evaluate(conversation, response.format(number)) is is_right
