"""Conversations, and a rendering of them to tokens of which each is known: which ones the assistant says."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

Conversation = dict[str, Any]


def draw_vocabulary(rng: Random, words: int = 60) -> list[str]:
    """Tokens in the order of their ids: single bytes, words with and without a space in front, specials.

    Bytes are written as the characters of the same numbers.
    """
    chosen: set[str] = set()
    while len(chosen) < words:
        word = texts.word(rng)
        if len(word) > 3:
            chosen.add(word)
    tokens = [chr(byte) for byte in range(256)]
    tokens += [space + word for word in sorted(chosen) for space in ("", " ")]
    rng.shuffle(tokens)
    return [*tokens, *SPECIAL_TOKENS]


def draw_conversation(rng: Random, vocabulary: list[str], turns: int) -> Conversation:
    """That many turns of random words, the user first; some with a system message, some with tool calls."""
    words = [token for token in vocabulary if len(token) > 1 and token[0] not in " <"]

    def say(least: int, most: int) -> str:
        return " ".join(rng.choices(words, k=rng.randint(least, most)))

    def answer() -> str | list[dict[str, str]]:
        if rng.random() < 0.4:
            return say(1, 8)
        parts = [{"type": "text", "text": say(1, 4)}] if rng.random() < 0.5 else []
        for _ in range(rng.randint(1, 2)):
            a, b = rng.randint(2, 99), rng.randint(2, 99)
            parts.append({"type": "python", "text": f"{a}*{b}"})
            parts.append({"type": "python_output", "text": str(a * b)})
            if rng.random() < 0.7:
                parts.append({"type": "text", "text": say(1, 4)})
        return parts

    messages: list[dict[str, Any]] = []
    if rng.random() < 0.3:
        messages.append({"role": "system", "content": say(1, 4)})
    for turn in range(turns):
        user = turn % 2 == 0
        messages.append({"role": "user" if user else "assistant", "content": say(1, 9) if user else answer()})
    return {"messages": messages}


def draw_long_conversation(rng: Random, vocabulary: list[str], tokens: int) -> Conversation:
    """One of which so many tokens, 200 or more, end in the middle of what the assistant says."""
    messages: list[dict[str, Any]] = []
    length = 1
    while length < tokens - 80:
        talk = draw_conversation(rng, vocabulary, 2)
        talk["messages"] = talk["messages"][-2:]
        length += len(render(talk, vocabulary)[0]) - 1
        messages += talk["messages"]
    words = [token for token in vocabulary if len(token) > 1 and token[0] not in " <"]
    messages.append({"role": "user", "content": rng.choice(words)})
    messages.append({"role": "assistant", "content": " ".join(rng.choices(words, k=120))})
    return {"messages": messages}


def render(conversation: Conversation, vocabulary: list[str]) -> tuple[list[int], list[int]]:
    """Ids, and a mask of the same length: 1 where the assistant says the token, its end and its calls too."""
    tokens: list[str] = ["<|bos|>"]
    mask: list[int] = [0]
    joined = ""
    for message in conversation["messages"]:
        if message["role"] == "system":
            joined = message["content"] + "\n\n"
            continue
        if message["role"] == "user":
            said = ["<|user_start|>", *_split(joined + message["content"]), "<|user_end|>"]
            trained = [0] * len(said)
            joined = ""
        else:
            said, trained = ["<|assistant_start|>"], [0]
            for part, own in _parts(message["content"]):
                said += part
                trained += [own] * len(part)
            said.append("<|assistant_end|>")
            trained.append(1)
        tokens += said
        mask += trained
    ids = {token: number for number, token in enumerate(vocabulary)}
    return [ids[token] for token in tokens], mask


def _parts(content: str | list[dict[str, str]]) -> Iterator[tuple[list[str], int]]:
    if isinstance(content, str):
        yield _split(content), 1
        return
    for part in content:
        if part["type"] == "text":
            yield _split(part["text"]), 1
        elif part["type"] == "python":
            yield ["<|python_start|>", *part["text"], "<|python_end|>"], 1
        else:
            yield ["<|output_start|>", *part["text"], "<|output_end|>"], 0


def _split(text: str) -> list[str]:
    """Words with the space before them; line breaks one by one."""
    tokens: list[str] = []
    for paragraph in text.split("\n"):
        words = paragraph.split()
        tokens += [*words[:1], *(" " + word for word in words[1:]), "\n"]
    return tokens[:-1]
