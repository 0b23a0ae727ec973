"""Talk to a fine-tuned model.

    python -m scripts.chat_cli
    python -m scripts.chat_cli -p "What is 47 times 13?"

The conversation goes on until /new begins another one; /quit or Ctrl-D ends it. Calls of the calculator are
shown in square brackets.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from nanochat.chat import MAX_TURN_TOKENS, ChatSession, load_engine
from nanochat.common import (
    autodetect_device_type,
    compute_init,
    get_base_dir,
    parse_settings,
    run_script,
    setting,
)

HELP = "/new begins a new conversation, /quit ends the program, /help shows this line"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Talk to a fine-tuned model. `-p TEXT` is short for `--prompt TEXT`."""

    prompt: str | None = setting(None, "answer this one message and end")
    name: str = setting("sft", "name of the run to talk to: its folder below the base folder")
    device: str = setting("auto", "cuda, mps, cpu, or auto for the best there is")
    temperature: float = setting(0.0, "0 always takes the likeliest token, 1 draws as the model believes")
    top_k: int | None = setting(None, "draw from so many likeliest tokens only")
    max_tokens: int = setting(MAX_TURN_TOKENS, "longest answer, in tokens")
    seed: int = setting(42, "of the drawing")

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if self.max_tokens < 1 or (self.top_k is not None and self.top_k < 1):
            raise ValueError("max_tokens and top_k must be 1 or more")


def answer(session: ChatSession, message: str) -> None:
    """Print the model's answer as it comes."""
    previous = "text"
    for kind, text in session.say(message):
        if kind == "special":
            continue
        if kind == "python" and previous != "python":
            print("[", end="")
        elif kind == "python_output" and previous == "python":
            print(" = ", end="")
        elif kind == "text" and previous != "text":
            print("] ", end="")
        print(text, end="", flush=True)
        previous = kind
    print("]" if previous != "text" else "")


def talk(session: ChatSession) -> None:
    """Read messages from standard input until it ends."""
    print(HELP)
    while True:
        try:
            message = input("\nyou: ").strip()
        except EOFError:
            print()
            return
        # commands
        if message == "/quit":
            return
        if message == "/new":
            session.reset()
            print("a new conversation")
        elif message == "/help":
            print(HELP)
        elif message.startswith("/"):
            print(f"there is no command {message.split()[0]}: {HELP}")
        # a message
        elif message:
            print("nanochat: ", end="", flush=True)
            answer(session, message)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if argv is None else argv
    settings = parse_settings(
        Settings, ["--prompt" if argument == "-p" else argument for argument in arguments]
    )
    device_type = autodetect_device_type() if settings.device == "auto" else settings.device
    *_, device = compute_init(device_type)
    engine, _ = load_engine(get_base_dir() / settings.name, device)
    # one conversation
    session = ChatSession(
        engine,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        top_k=settings.top_k,
        seed=settings.seed,
    )
    if settings.prompt is not None:
        answer(session, settings.prompt)
    else:
        talk(session)


if __name__ == "__main__":
    run_script(main)
