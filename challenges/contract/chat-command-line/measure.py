"""Runs the chat script in this process: with conversations that are made up, and with a saved model."""

import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict
from io import StringIO

from bughunt.lab.measuring.base_folder import base_folder
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.programs import exit_status
from bughunt.lab.measuring.scripted_chat import byte_tokenizer

# What the assistant says token by token: text, tokens of a call, of its output, and special ones.
ANSWERS = {
    "text": "t:Hel t:lo s:END",
    "a call": "s:START p:6* p:7 s:CLOSE s:OUT o:4 o:2 s:DONE t:_is t:_it",
    "text and a call": "t:So_ p:1+1 s:CLOSE o:2",
    "two calls": "p:1 o:1 t:a p:2 o:2 t:b",
    "calls without text between": "p:1 o:1 p:2 t:b",
    "a call without an output": "p:x s:CLOSE t:?",
    "a call that is not closed": "t:a p:x",
    "an output alone": "o:5 t:!",
    "nothing": "",
}
KINDS = {"t": "text", "p": "python", "o": "python_output", "s": "special"}
TYPED = [
    "one",
    "",
    "   ",
    "  two ",
    "/new",
    "/dance now",
    "/help",
    "/newer",
    "/",
    "three / four",
    "/quit",
    "five",
]


def draw(rng):
    """Weights of a model, and seeds."""
    return {"weights": rng.randrange(2**31), "seed": rng.randrange(1, 1000)}


def measure(inputs):
    """What is shown of answers, what is done about what is typed, and what flags do."""
    from scripts import chat_cli

    return {
        "shown": {
            name: printed(chat_cli.answer, MadeUp(pieces_of(line)), "?") for name, line in ANSWERS.items()
        },
        "typed": {
            "until it quits": typed(TYPED),
            "until the input ends": typed(["one"]),
            "quits at once": typed([" /quit ", "one"]),
            "something is shown": shows_something(),
        },
        "settings": settings(),
        "a saved model": saved(inputs),
    }


class MadeUp:
    """A conversation in which the assistant always says the same; notes what is done."""

    def __init__(self, pieces):
        self.pieces, self.done = pieces, []

    def say(self, message):
        self.done.append(message)
        yield from self.pieces

    def reset(self):
        self.done.append(None)


def pieces_of(line):
    return [(KINDS[one[0]], one[2:].replace("_", " ")) for one in line.split()]


def printed(function, *arguments):
    with redirect_stdout(StringIO()) as out:
        function(*arguments)
    return out.getvalue()


def typed(lines):
    """The messages that reach the conversation, None for a reset; how often the answer is seen."""
    from scripts import chat_cli

    session = MadeUp([("text", "Certainly"), ("special", "")])
    before, sys.stdin = sys.stdin, StringIO("".join(line + "\n" for line in lines))
    try:
        shown = printed(chat_cli.talk, session)
        left = sys.stdin.read()
    finally:
        sys.stdin = before
    return {"done": session.done, "answers": shown.count("Certainly\n"), "left": left}


def shows_something():
    """Whether there is a greeting, and more to see after each of these."""
    lengths = {line: typed_length(line) for line in ("", "/help", "/new", "/hulk")}
    known = lengths["/help"] < lengths["/hulk"]
    return [
        known,
        lengths[""] > 20,
        *(lengths[line] > lengths[""] + 12 for line in ("/help", "/new", "/hulk")),
    ]


def typed_length(line):
    from scripts import chat_cli

    before, sys.stdin = sys.stdin, StringIO(line + "\n")
    try:
        return len(printed(chat_cli.talk, MadeUp([])))
    finally:
        sys.stdin = before


def settings():
    """The defaults, and which values are refused."""
    from scripts.chat_cli import Settings

    refused = {}
    for name, values in {
        "temperature": (-1.0, -1e-9, 0.0, 2.5),
        "max_tokens": (-1, 0, 1),
        "top_k": (-1, 0, 1, None),
    }.items():
        for value in values:
            try:
                Settings(**{name: value})
                refused[f"{name} {value}"] = False
            except ValueError:
                refused[f"{name} {value}"] = True
    return {"by default": asdict(Settings()), "refused": refused}


def saved(inputs):
    """The script as a whole, with a model and a tokenizer that were saved."""
    from nanochat.checkpoint_manager import build_meta, save_checkpoint

    tokenizer = byte_tokenizer("th")
    model = make_model(sequence_len=32, vocab_size=tokenizer.get_vocab_size(), n_head=2, n_embd=8)
    with base_folder() as base:
        without_a_model = run("-p", "hi")["exit"]
        randomise(model, inputs["weights"], scale=1.0)
        save_checkpoint(base / "sft", 3, model.state_dict(), [], build_meta(model))
        without_a_tokenizer = run("-p", "hi")["exit"]
        tokenizer.save(base / "tokenizer")
        found = {
            "no model": without_a_model,
            "no tokenizer": without_a_tokenizer,
            "no such device": run("-p", "hi", "--device", "tpu")["exit"],
            "no such model": run("-p", "hi", "--name", "base")["exit"],
            "flags": flags(base, tokenizer, str(inputs["seed"])),
        }
        byte_tokenizer("th", "an").save(base / "tokenizer")
        found["a tokenizer of another size"] = run("-p", "hi")["exit"]
    return found


def flags(base, tokenizer, seed):
    """Whether what the script says is what a conversation with the same options does."""
    from nanochat.chat import ChatSession, load_engine
    from scripts.chat_cli import answer

    warm = ["--temperature", "1.5", "--seed", seed]
    cases = {
        "none": ([], {}),
        "few tokens": (["--max-tokens", "5"], {"max_tokens": 5}),
        "warm": (warm, {"temperature": 1.5, "seed": int(seed)}),
        "warm, top 3": ([*warm, "--top-k", "3"], {"temperature": 1.5, "seed": int(seed), "top_k": 3}),
    }
    engine, meta = load_engine(base / "sft")
    found = {"step": meta["step"]}
    for name, (words, options) in cases.items():
        options = {"max_tokens": 8, **options}
        right = printed(answer, ChatSession(engine, **options), "What is it?")
        one = run("--prompt" if name == "none" else "-p", "What is it?", "--max-tokens", "8", *words)
        found[name] = {"as it should": one["out"] == right, "exit": one["exit"]}
    found["words of the program"] = program()
    talk = run("--max-tokens", "4", lines="one\n/quit\n")
    return {**found, "talks without a prompt": talk["exit"] is None and talk["out"].count("\n") >= 3}


def run(*words, lines=""):
    """What the script prints, and the status with which it ends if it does so by itself; errors by name."""
    from nanochat.common import UserError
    from scripts import chat_cli

    status, before = None, sys.stdin
    sys.stdin = StringIO(lines)
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as errors:
        try:
            chat_cli.main(["--device", "cpu", *words])
        except SystemExit as end:
            status = exit_status(end, errors) or None
        except UserError:
            status = "an error of the user's"
        finally:
            sys.stdin = before
    return {"out": out.getvalue(), "exit": status}


def program():
    """Whether the script takes the words of the program if it is given none, on the device that there is."""
    from scripts import chat_cli

    before, sys.argv = sys.argv, ["chat_cli", "-p", "hi", "--max-tokens", "4"]
    try:
        return printed(chat_cli.main).endswith("\n")
    finally:
        sys.argv = before
