"""A conversation with a model: what it is told, what it says, and one cache for all its turns."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from nanochat.checkpoint_manager import load_model
from nanochat.common import UserError
from nanochat.engine import Engine, KVCache
from nanochat.tokenizer import Conversation, RustBPETokenizer, get_tokenizer

# What the assistant is doing, and the special tokens that change it. Any other one breaks the format.
NEXT_STATE = {
    ("text", "<|python_start|>"): "python",
    ("python", "<|python_end|>"): "called",
    ("called", "<|output_start|>"): "python_output",
    ("python_output", "<|output_end|>"): "text",
    ("text", "<|assistant_end|>"): "end",
}

# A turn that has not ended by itself after so many tokens is cut off.
MAX_TURN_TOKENS = 256


def load_engine(run_dir: Path, device: torch.device | str = "cpu") -> tuple[Engine, dict[str, Any]]:
    """An engine with the newest model in `run_dir` and the saved tokenizer, and the checkpoint's meta.

    Raises `UserError` if there is no model, no tokenizer, or they do not belong together.
    """
    model, meta = load_model(run_dir, device)
    tokenizer = get_tokenizer()
    if model.config.vocab_size != tokenizer.get_vocab_size():
        raise UserError(
            f"the model in {run_dir} knows {model.config.vocab_size} tokens, but the tokenizer has "
            f"{tokenizer.get_vocab_size()}: it was trained after the model, so train the model again too"
        )
    return Engine(model, tokenizer), meta


@dataclass
class Turn:
    """What the assistant said in one turn.

    `parts` are as in a conversation's content. A turn is well formed if it ended by itself and every special
    token stood where the format has it: a tool call closed and answered, no role but the assistant's.
    """

    parts: list[dict[str, str]] = field(default_factory=list)
    well_formed: bool = False
    num_tokens: int = 0

    @property
    def text(self) -> str:
        """What the user is shown: tool calls and their outputs left out."""
        return "".join(part["text"] for part in self.parts if part["type"] == "text")

    @property
    def tool_calls(self) -> int:
        return sum(part["type"] == "python_output" for part in self.parts)


class TurnReader:
    """Reads a turn token by token; `turn` is what was said so far."""

    def __init__(self, tokenizer: RustBPETokenizer) -> None:
        self.tokenizer = tokenizer
        self.specials = {tokenizer.encode_special(name): name for name in tokenizer.get_special_tokens()}
        self.turn = Turn()
        self._state = "text"
        self._broken = False
        self._start_part()

    def read(self, token: int) -> tuple[str, str]:
        """(kind, text) of the next token; the kind is "text", "python", "python_output" or "special"."""
        self.turn.num_tokens += 1
        # a special token
        if token in self.specials:
            name = self.specials[token]
            following = NEXT_STATE.get((self._state, name))
            self._broken = self._broken or following is None
            self._state = following or "text"
            self._start_part()
            self.turn.well_formed = self._state == "end" and not self._broken
            return "special", name
        # text, by the state it comes in
        if self._state in ("called", "end"):
            self._broken, self._state = True, "text"
        text = self._decoder.decode(self.tokenizer.enc.decode_single_token_bytes(token))
        if self._new_part:
            self.turn.parts.append({"type": self._state, "text": ""})
            self._new_part = False
        self.turn.parts[-1]["text"] += text
        return self._state, text

    def _start_part(self) -> None:
        self._new_part = True
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")


def parse_turn(tokens: Iterable[int], tokenizer: RustBPETokenizer) -> Turn:
    """The turn that these tokens make, the end token included."""
    reader = TurnReader(tokenizer)
    for token in tokens:
        reader.read(token)
    return reader.turn


def complete(
    engine: Engine, conversation: Conversation, *, max_tokens: int = MAX_TURN_TOKENS, temperature: float = 0.0
) -> Turn:
    """The assistant's answer to a conversation that ends with the user (a reference answer is ignored)."""
    prompt = engine.tokenizer.render_for_completion(conversation)
    columns = engine.generate(prompt, max_tokens=max_tokens, temperature=temperature)
    return parse_turn((column[0] for column, _ in columns), engine.tokenizer)


class ChatSession:
    """One conversation: `tokens` so far, and a cache of those before `cache.get_pos()`.

    A turn continues both; `Engine.generate` is given the tokens from there on.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        max_tokens: int = MAX_TURN_TOKENS,
        temperature: float = 0.0,
        top_k: int | None = None,
        seed: int = 42,
    ) -> None:
        self.engine = engine
        self.tokenizer: RustBPETokenizer = engine.tokenizer
        self.max_tokens = max_tokens
        self.temperature = temperature
        self.top_k = top_k
        self.seed = seed
        config = engine.model.config
        self.cache = KVCache(
            batch_size=1,
            num_heads=config.n_kv_head,
            seq_len=config.sequence_len,
            head_dim=config.n_embd // config.n_head,
            num_layers=config.n_layer,
        )
        self.reset()

    def reset(self) -> None:
        """Begin a new conversation."""
        self.tokens = [self.tokenizer.get_bos_token_id()]
        self.turns = 0
        self.cache.reset()

    def say(self, message: str) -> Iterator[tuple[str, str]]:
        """Yield the answer to a message as it is generated: `(kind, text)`, see `TurnReader.read`."""
        # the user's turn
        special = self.tokenizer.encode_special
        self.tokens += [special("<|user_start|>"), *self.tokenizer.encode(message), special("<|user_end|>")]
        self.tokens.append(special("<|assistant_start|>"))
        # the assistant's
        reader = TurnReader(self.tokenizer)
        for column, _ in self.engine.generate(
            self.tokens[self.cache.get_pos() :],
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_k=self.top_k,
            seed=self.seed + self.turns,
            kv_cache=self.cache,
        ):
            self.tokens.append(column[0])
            yield reader.read(column[0])
        if self.tokens[-1] != special("<|assistant_end|>"):
            self.tokens.append(special("<|assistant_end|>"))
        self.turns += 1
