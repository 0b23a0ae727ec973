"""The tokenizer: byte-level BPE, trained by rustbpe and run by tiktoken, and the special tokens of a chat.

    tokenizer = RustBPETokenizer.train_from_iterator(texts, vocab_size=4096)
    tokenizer.save("runs/tokenizer")
    tokenizer = get_tokenizer()                      # what `python -m scripts.tok_train` saved
    tokenizer.encode("Hello", prepend="<|bos|>")     # the id of <|bos|>, then those of Hello

A conversation is rendered as ids and a mask of what is trained: 1 on what the assistant says, its tool calls
and end token included, and 0 on the rest, the tool's outputs included.

A saved tokenizer is a folder of two readable files: `tokenizer.json` (split pattern, special tokens) and
`merges.tiktoken` (one line a token, in rank order: its bytes in base64, and its rank).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import tiktoken

from nanochat.common import UserError, get_base_dir

if TYPE_CHECKING:
    import torch

# Their ids follow the merges', in this order.
SPECIAL_TOKENS = [
    "<|bos|>",  # begins every document
    "<|user_start|>",
    "<|user_end|>",
    "<|assistant_start|>",
    "<|assistant_end|>",
    "<|python_start|>",  # the assistant calls the python tool
    "<|python_end|>",
    "<|output_start|>",  # the tool answers
    "<|output_end|>",
]

# GPT-4's pattern (cl100k_base in tiktoken), except that numbers are taken one or two digits at a time instead
# of up to three: a small vocabulary has better uses for a thousand three-digit numbers.
SPLIT_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,2}"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
)

SETTINGS_FILE = "tokenizer.json"
MERGES_FILE = "merges.tiktoken"

Conversation = dict[str, Any]


class RustBPETokenizer:
    """Text to token ids and back. Every id below `get_vocab_size()` is a byte sequence or a special token."""

    def __init__(
        self,
        merges: dict[bytes, int],
        pattern: str = SPLIT_PATTERN,
        special_tokens: Sequence[str] = SPECIAL_TOKENS,
    ) -> None:
        self._merges = merges
        self._pattern = pattern
        self._special_tokens = {token: len(merges) + i for i, token in enumerate(special_tokens)}
        self.enc = tiktoken.Encoding(
            name="nanochat", pat_str=pattern, mergeable_ranks=merges, special_tokens=self._special_tokens
        )

    @classmethod
    def train_from_iterator(
        cls, text_iterator: Iterable[str], vocab_size: int, progress: Callable[..., object] | None = None
    ) -> RustBPETokenizer:
        """Learn the merges from texts. `vocab_size` counts the 256 bytes, the merges and the special tokens.

        The vocabulary is smaller than asked for when the text has too few pairs to merge. `progress` is
        handed to the trainer if it reports progress. Raises ValueError if `vocab_size` leaves no room for the
        bytes.
        """
        smallest = 256 + len(SPECIAL_TOKENS)
        if vocab_size < smallest:
            raise ValueError(f"vocab_size is {vocab_size}, but bytes and special tokens alone are {smallest}")
        try:
            import rustbpe
        except ImportError as error:
            raise UserError("training a tokenizer needs rustbpe: run `pip install rustbpe`") from error

        # train with rustbpe
        trainer = rustbpe.Tokenizer()
        options: dict[str, Any] = {"pattern": SPLIT_PATTERN}
        if progress is not None and "progress" in inspect.signature(trainer.train_from_iterator).parameters:
            options["progress"] = progress
        trainer.train_from_iterator(iter(text_iterator), vocab_size - len(SPECIAL_TOKENS), **options)
        # run with tiktoken
        merges = {bytes(token): rank for token, rank in trainer.get_mergeable_ranks()}
        return cls(merges)

    @classmethod
    def from_directory(cls, tokenizer_dir: str | Path) -> RustBPETokenizer:
        """Load what `save` wrote. Raises `UserError` if it is missing or damaged."""
        folder = Path(tokenizer_dir)
        try:
            settings_text = (folder / SETTINGS_FILE).read_text(encoding="utf-8")
            merges_text = (folder / MERGES_FILE).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserError(
                f"there is no tokenizer in {folder}: train one with `python -m scripts.tok_train`"
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the tokenizer in {folder} cannot be read: {error}") from error
        try:
            pattern, special_tokens, merges_hash = _parse_settings_file(settings_text)
            if hashlib.sha256(merges_text).hexdigest() != merges_hash:
                raise ValueError(f"{MERGES_FILE} is not the file that {SETTINGS_FILE} was saved with")
            return cls(_parse_merges(merges_text), pattern, special_tokens)
        except ValueError as error:
            raise UserError(
                f"the tokenizer in {folder} is damaged ({error}): "
                "train it again with `python -m scripts.tok_train`"
            ) from error

    def save(self, tokenizer_dir: str | Path) -> None:
        """Write the tokenizer as two readable files into a folder, made if need be."""
        folder = Path(tokenizer_dir)
        by_rank = sorted(self._merges.items(), key=lambda item: item[1])
        merges_text = b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in by_rank)
        settings = {
            "pattern": self._pattern,
            "special_tokens": list(self._special_tokens),
            "merges_sha256": hashlib.sha256(merges_text).hexdigest(),
        }
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _replace_file(folder / MERGES_FILE, merges_text)
            _replace_file(folder / SETTINGS_FILE, (json.dumps(settings, indent=2) + "\n").encode())
        except OSError as error:
            raise UserError(f"the tokenizer cannot be saved in {folder}: {error}") from error

    def get_vocab_size(self) -> int:
        """The number of ids, special tokens included."""
        return self.enc.n_vocab

    def get_special_tokens(self) -> set[str]:
        """The special tokens' texts."""
        return set(self._special_tokens)

    def get_bos_token_id(self) -> int:
        """The id of `<|bos|>`, which begins every document."""
        return self.encode_special("<|bos|>")

    def encode_special(self, text: str) -> int:
        """The id of a special token. Raises ValueError if there is none of that text."""
        try:
            return self._special_tokens[text]
        except KeyError:
            known = ", ".join(self._special_tokens)
            raise ValueError(f"{text!r} is not a special token; there are {known}") from None

    @overload
    def encode(
        self,
        text: str,
        prepend: str | int | None = None,
        append: str | int | None = None,
        num_threads: int = 8,
    ) -> list[int]: ...

    @overload
    def encode(
        self,
        text: list[str],
        prepend: str | int | None = None,
        append: str | int | None = None,
        num_threads: int = 8,
    ) -> list[list[int]]: ...

    def encode(
        self,
        text: str | list[str],
        prepend: str | int | None = None,
        append: str | int | None = None,
        num_threads: int = 8,
    ) -> list[int] | list[list[int]]:
        """The ids of a text or, tokenized in parallel by `num_threads` threads, of each text of a list.

        `prepend` and `append`, each a special token or an id, stand before and after the ids of every text.
        Special tokens are never parsed from text: one that is spelled out in it is encoded as ordinary text.
        Raises ValueError for an unknown special token or an id outside the vocabulary.
        """
        if prepend is not None:
            prepend_id = self._token_id(prepend)
        if append is not None:
            append_id = self._token_id(append)

        # one text
        if isinstance(text, str):
            ids = self.enc.encode_ordinary(text)  # (T,)
            if prepend is not None:
                ids.insert(0, prepend_id)
            if append is not None:
                ids.append(append_id)
            return ids
        # a list of texts, in parallel
        if isinstance(text, list):
            rows = self.enc.encode_ordinary_batch(text, num_threads=num_threads)
            if prepend is not None:
                for row in rows:
                    row.insert(0, prepend_id)
            if append is not None:
                for row in rows:
                    row.append(append_id)
            return rows
        raise TypeError(f"encode takes a string or a list of strings, not {type(text).__name__}")

    __call__ = encode

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that are not UTF-8 become U+FFFD. Raises ValueError for an unknown id."""
        try:
            return self.enc.decode(ids)
        except (KeyError, OverflowError) as error:
            raise ValueError(f"an id is not between 0 and {self.get_vocab_size() - 1}: {error}") from None

    def id_to_token(self, id: int) -> str:
        """The text of one id."""
        return self.decode([id])

    def render_conversation(
        self, conversation: Conversation, max_tokens: int | None = 2048
    ) -> tuple[list[int], list[int]]:
        """A conversation as ids and a mask of the same length, cut to `max_tokens` (None: whole).

        A conversation is `{"messages": [{"role": ..., "content": ...}, ...]}`:
        an optional system message, then user and assistant in turns. An assistant's content may be a list of
        parts `{"type": "text" | "python" | "python_output", "text": ...}`. Raises ValueError for any other.
        """
        ids: list[int] = []
        mask: list[int] = []

        def add(tokens: Iterable[int], trained: int) -> None:
            count = len(ids)
            ids.extend(tokens)
            mask.extend([trained] * (len(ids) - count))

        def add_special(token: str, trained: int) -> None:
            add([self.encode_special(token)], trained)

        add_special("<|bos|>", 0)
        for message in _turns(conversation):
            # a turn of the user
            if message["role"] == "user":
                add_special("<|user_start|>", 0)
                add(self.encode(message["content"]), 0)
                add_special("<|user_end|>", 0)
                continue
            # a turn of the assistant, part by part
            add_special("<|assistant_start|>", 0)
            for kind, text in _parts(message["content"]):
                if kind == "text":
                    add(self.encode(text), 1)
                elif kind == "python":
                    add_special("<|python_start|>", 1)
                    add(self.encode(text), 1)
                    add_special("<|python_end|>", 1)
                else:
                    add_special("<|output_start|>", 0)
                    add(self.encode(text), 0)
                    add_special("<|output_end|>", 0)
            add_special("<|assistant_end|>", 1)
        return ids[:max_tokens], mask[:max_tokens]

    def render_for_completion(self, conversation: Conversation) -> list[int]:
        """The ids that prompt the assistant's last turn: all before it, then `<|assistant_start|>`.

        The assistant's last message, if the conversation ends with one, is left out. Never cut short.
        """
        turns = _turns(conversation)
        if turns[-1]["role"] == "assistant":
            turns = turns[:-1]
        ids, _ = self.render_conversation({"messages": turns}, max_tokens=None)
        return [*ids, self.encode_special("<|assistant_start|>")]

    def _token_id(self, token: str | int) -> int:
        if isinstance(token, str):
            return self.encode_special(token)
        if not 0 <= token < self.get_vocab_size():
            raise ValueError(f"id {token} is not between 0 and {self.get_vocab_size() - 1}")
        return token


def get_tokenizer() -> RustBPETokenizer:
    """The tokenizer that `scripts.tok_train` saved in the base folder."""
    return RustBPETokenizer.from_directory(get_base_dir() / "tokenizer")


def get_token_bytes(
    tokenizer: RustBPETokenizer | None = None, device: str | torch.device = "cpu"
) -> torch.Tensor:
    """How many bytes of text each id stands for, 0 for special tokens: int32, shape (vocab_size,)."""
    import torch

    tokenizer = get_tokenizer() if tokenizer is None else tokenizer
    # a length for each id
    special_ids = {tokenizer.encode_special(token) for token in tokenizer.get_special_tokens()}
    lengths = [
        0 if id in special_ids else len(tokenizer.enc.decode_single_token_bytes(id))
        for id in range(tokenizer.get_vocab_size())
    ]
    return torch.tensor(lengths, dtype=torch.int32, device=device)  # (V,)


def _turns(conversation: Conversation) -> list[dict[str, Any]]:
    """The messages, checked: user and assistant in turns, a system message joined to the first user turn."""
    messages = conversation.get("messages") if isinstance(conversation, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError('a conversation is {"messages": [...]} with one message or more')
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or "role" not in message or "content" not in message:
            raise ValueError(f'message {i} is not {{"role": ..., "content": ...}}')
        if message["role"] != "assistant" and not isinstance(message["content"], str):
            raise ValueError(f"message {i}, from {message['role']}, must have a string as its content")

    # join the system message to the first turn
    if messages[0]["role"] == "system":
        if len(messages) < 2 or messages[1]["role"] != "user":
            raise ValueError("a system message must be followed by a user message")
        joined = messages[0]["content"] + "\n\n" + messages[1]["content"]
        messages = [{"role": "user", "content": joined}, *messages[2:]]
    # turns alternate
    for i, message in enumerate(messages):
        expected = "user" if i % 2 == 0 else "assistant"
        if message["role"] != expected:
            raise ValueError(
                f"user and assistant take turns, the user first: turn {i} is from {message['role']!r}"
            )
    return messages


def _parts(content: object) -> Iterator[tuple[str, str]]:
    """The (kind, text) pairs of an assistant's content."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(parts, list):
        raise ValueError("an assistant's content is a string or a list of parts")
    for part in parts:
        kind, text = (part.get("type"), part.get("text")) if isinstance(part, dict) else (None, None)
        if kind not in ("text", "python", "python_output") or not isinstance(text, str):
            raise ValueError(
                "a part of an assistant's content is a text and a type (text, python or python_output), "
                f"not {part!r}"
            )
        yield kind, text


def _parse_settings_file(text: str) -> tuple[str, list[str], str]:
    """Pattern, special tokens and the hash of the merges file. Raises ValueError."""
    settings = json.loads(text)
    if not isinstance(settings, dict):
        raise ValueError(f"{SETTINGS_FILE} holds no JSON object")
    pattern, special_tokens, merges_hash = (
        settings.get(key) for key in ("pattern", "special_tokens", "merges_sha256")
    )
    if not isinstance(pattern, str) or not isinstance(merges_hash, str):
        raise ValueError(f"{SETTINGS_FILE} lacks a pattern or merges_sha256")
    if not isinstance(special_tokens, list) or not all(isinstance(token, str) for token in special_tokens):
        raise ValueError(f"{SETTINGS_FILE} lacks a list of special_tokens")
    if len(set(special_tokens)) != len(special_tokens) or "" in special_tokens:
        raise ValueError(f"{SETTINGS_FILE} has a special token twice, or an empty one")
    return pattern, special_tokens, merges_hash


def _parse_merges(content: bytes) -> dict[bytes, int]:
    """Token bytes to rank. Raises ValueError unless the ranks are 0, 1, 2, ... and every byte is a token."""
    merges: dict[bytes, int] = {}
    for number, line in enumerate(content.splitlines()):
        token, _, rank = line.partition(b" ")
        try:
            merges[base64.b64decode(token, validate=True)] = int(rank)
        except (binascii.Error, ValueError):
            raise ValueError(f"line {number + 1} of {MERGES_FILE} is not a token and its rank") from None
    if list(merges.values()) != list(range(len(merges))):
        raise ValueError(f"the ranks in {MERGES_FILE} are not 0, 1, 2, ...")
    if not all(bytes([byte]) in merges for byte in range(256)):
        raise ValueError(f"{MERGES_FILE} lacks some of the 256 bytes")
    return merges


def _replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves the old one or the new one, never half of one."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    temporary.replace(path)
