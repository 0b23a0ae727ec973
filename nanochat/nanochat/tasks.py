"""What fine-tuning teaches: small skills, as conversations that the tree writes itself.

    task = Arithmetic("train")
    task[0]                          # {"messages": [{"role": "user", ...}, {"role": "assistant", ...}]}
    task.evaluate(task[0], "The answer is 611.")

A task has as many problems as asked for; a problem is a function of the task's seed and its own index.
Training and test never share what a problem is about: a hash decides once and for all which operands and
words belong to which. Each task has phrasings of its questions that training never uses.
"""

from __future__ import annotations

import hashlib
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from nanochat.calculator import use_calculator
from nanochat.dataset import PythonGroups
from nanochat.phrasings import (
    ARITHMETIC_FRAMES,
    ARITHMETIC_PHRASINGS,
    CLOSINGS,
    COUNT_PHRASINGS,
    FACTS,
    OPENINGS,
    SPELLING_PHRASINGS,
)
from nanochat.tokenizer import Conversation

Split = Literal["train", "test"]
Phrasings = Literal["train", "held_out"]

TEST_ONE_IN = 10

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def split_of(key: str) -> Split:
    """The split to which the operands or the word named `key` belong, on every machine."""
    digest = hashlib.sha256(key.encode()).digest()
    return "test" if int.from_bytes(digest[:8], "big") % TEST_ONE_IN == 0 else "train"


class Task:
    """Problems by index. Subclasses write one problem (`write`) and judge the answer to one (`evaluate`)."""

    name: str
    wrapped = False  # may a question come with an opening or a closing?

    def __init__(
        self, split: Split = "train", *, phrasings: Phrasings = "train", size: int = 10_000, seed: int = 0
    ) -> None:
        self.split = split
        self.phrasings = phrasings
        self.size = size
        self.seed = seed

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Conversation:
        """Problem `index`: one question and the reference answer to it."""
        if not 0 <= index < self.size:
            raise IndexError(f"problem {index} of {self.size}")
        # a problem of this index
        rng = random.Random(f"{self.name} {self.split} {self.phrasings} {self.seed} {index}")
        question, answer = self.write(rng)
        if self.wrapped and self.phrasings == "train":
            question = wrap(rng, question)
        return {
            "messages": [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
        }

    def write(self, rng: random.Random) -> tuple[str, str | list[dict[str, str]]]:
        """A question and the content of the answer to it."""
        raise NotImplementedError

    def evaluate(self, conversation: Conversation, response: str) -> bool:
        """Whether `response`, the text the assistant showed the user, answers the problem."""
        return response.strip() == reference_text(conversation).strip()


def wrap(rng: random.Random, question: str) -> str:
    """The question as one of three people would put it: with something before it, after it, or neither."""
    if rng.random() < 1 / 3:
        question = f"{rng.choice(OPENINGS)} {question}"
    if rng.random() < 1 / 6:
        question = f"{question} {rng.choice(CLOSINGS)}"
    return question


def reference_text(conversation: Conversation) -> str:
    """The text that the last message of a conversation shows: its tool calls and their outputs left out."""
    content = conversation["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def tool_answer(expression: str, sentence: str) -> list[dict[str, str]]:
    """An answer that calls the calculator and puts its result into a sentence with `{}`."""
    result = use_calculator(expression)
    if result is None:
        raise ValueError(f"the calculator refuses {expression!r}")
    return [
        {"type": "python", "text": expression},
        {"type": "python_output", "text": result},
        {"type": "text", "text": sentence.format(result)},
    ]


class Arithmetic(Task):
    """Two-digit arithmetic, through the calculator. Division is to so many places."""

    name = "arithmetic"
    wrapped = True

    def write(self, rng: random.Random) -> tuple[str, list[dict[str, str]]]:
        while True:
            a, b = rng.randint(10, 99), rng.randint(10, 99)
            if split_of(f"{min(a, b)} and {max(a, b)}") == self.split:
                break
        # an operation and a way to ask for it
        operation = rng.choice("+-*/")
        nouns, sentences = ARITHMETIC_PHRASINGS[self.phrasings][operation]
        frames = ARITHMETIC_FRAMES[self.phrasings]
        pick = rng.randrange(len(frames) + len(sentences) // 2)
        question = frames[pick].format(rng.choice(nouns)) if pick < len(frames) else rng.choice(sentences)
        # what the calculator is given
        values: dict[str, Any] = {"a": a, "b": b}
        expression = f"{a}{operation}{b}"
        if operation == "/":
            places = rng.randint(1, 4)
            values["places"] = f"{places} decimal place" if places == 1 else f"{places} decimal places"
            expression = rounded_quotient(a, b, places)
        return question.format(**values), tool_answer(expression, "The answer is {}.")

    def evaluate(self, conversation: Conversation, response: str) -> bool:
        return last_number(response) == last_number(reference_text(conversation))


def rounded_quotient(a: int, b: int, places: int) -> str:
    """An expression for a/b rounded half up, without a call: floor((floor(2x) + 1) / 2) is x rounded."""
    return f"({2 * 10**places}*{a}//{b}+1)//2/{10**places}"


def last_number(text: str) -> str | None:
    """The last number in a text, as it is written there."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", text)
    return numbers[-1] if numbers else None


class Spelling(Task):
    """The letters of a word, one by one."""

    name = "spelling"
    wrapped = True

    def write(self, rng: random.Random) -> tuple[str, str]:
        word = choose_word(rng, self.split)
        question = rng.choice(SPELLING_PHRASINGS[self.phrasings]).format(word=word)
        return question, " ".join(word)


class LetterCount(Task):
    """How often a letter occurs in a word, counted by the calculator."""

    name = "letter counts"
    wrapped = True

    def write(self, rng: random.Random) -> tuple[str, list[dict[str, str]]]:
        word = choose_word(rng, self.split)
        letter = rng.choice(word) if rng.random() < 0.8 else rng.choice(LETTERS)
        question = rng.choice(COUNT_PHRASINGS[self.phrasings]).format(word=word, letter=letter)
        return question, tool_answer(f'"{word}".count("{letter}")', "The answer is {}.")

    def evaluate(self, conversation: Conversation, response: str) -> bool:
        return last_number(response) == last_number(reference_text(conversation))


class Facts(Task):
    """A few facts about itself, and the courtesies of a conversation; only the phrasings differ by split."""

    name = "facts"

    def write(self, rng: random.Random) -> tuple[str, str]:
        questions, held_out, answer = rng.choice(FACTS)
        return rng.choice(questions if self.phrasings == "train" else held_out), answer


class Dialogue(Task):
    """Conversations of two questions, from other tasks."""

    name = "dialogue"

    def __init__(self, tasks: Sequence[Task], *, size: int = 10_000, seed: int = 0) -> None:
        super().__init__(size=size, seed=seed)
        self.tasks = tasks

    def __getitem__(self, index: int) -> Conversation:
        rng = random.Random(f"{self.name} {self.seed} {index}")
        messages = []
        for task in rng.choices(self.tasks, k=2):
            messages += task[rng.randrange(len(task))]["messages"]
        return {"messages": messages}


class Mixture:
    """All conversations of several tasks, shuffled.

    Each stretch of `sorted_stretch` conversations is sorted by length, so that batches cut from one have rows
    of much the same length and little padding. 1 sorts nothing.
    """

    def __init__(self, tasks: Sequence[Task], seed: int = 0, sorted_stretch: int = 1) -> None:
        # shuffle
        self.order = [(task, index) for task in tasks for index in range(len(task))]
        random.Random(seed).shuffle(self.order)
        self.sorted_stretch = sorted_stretch
        self._stretch = lru_cache(maxsize=2)(self._sort_stretch)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> Conversation:
        stretch, offset = divmod(index, self.sorted_stretch)
        return self._stretch(stretch)[offset]

    def _sort_stretch(self, stretch: int) -> list[Conversation]:
        first = stretch * self.sorted_stretch
        chosen = self.order[first : first + self.sorted_stretch]
        return sorted((task[index] for task, index in chosen), key=num_characters)


def num_characters(conversation: Conversation) -> int:
    """How much text a conversation has, tool calls and outputs included."""
    contents = (message["content"] for message in conversation["messages"])
    return sum(
        len(content) if isinstance(content, str) else sum(len(part["text"]) for part in content)
        for content in contents
    )


def training_mixture(seed: int = 0, sorted_stretch: int = 1) -> Mixture:
    """What `scripts.chat_sft` trains on."""
    tasks: list[Task] = [
        Arithmetic(size=40_000, seed=seed),
        Spelling(size=40_000, seed=seed),
        LetterCount(size=40_000, seed=seed),
        Facts(size=8_000, seed=seed),
    ]
    return Mixture([*tasks, Dialogue(tasks, size=12_000, seed=seed)], seed, sorted_stretch)


def validation_mixture(seed: int = 0, sorted_stretch: int = 1) -> Mixture:
    """Held-out operands and words, in the phrasings of training."""
    tasks: list[type[Task]] = [Arithmetic, Spelling, LetterCount, Facts]
    return Mixture([task("test", size=512, seed=seed) for task in tasks], seed, sorted_stretch)


@cache
def words(split: Split) -> tuple[str, ...]:
    """The words of a split: lower-case, of 3 to 12 letters, met several times in Python's own sources."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    # count the words of the corpus
    counts: Counter[str] = Counter()
    for corpus_split in ("train", "val"):
        for group in PythonGroups(stdlib, corpus_split):
            for text in group:
                counts.update(re.findall(r"(?<![\w.])[a-z]{3,12}(?![\w(])", text))
    return tuple(sorted(word for word, count in counts.items() if count >= 5 and split_of(word) == split))


def choose_word(rng: random.Random, split: Split) -> str:
    """A word of the split. In training, up to one in three is made up of two words' halves."""
    known = words(split)
    word = rng.choice(known)
    if split == "test" or rng.random() > 1 / 3:
        return word
    other = rng.choice(known)
    made_up = word[: rng.randint(1, len(word))] + other[rng.randint(0, len(other) - 1) :]
    fits = 3 <= len(made_up) <= 12 and split_of(made_up) == split
    return made_up if fits else word
