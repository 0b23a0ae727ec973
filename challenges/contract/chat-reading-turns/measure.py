"""Reads turns token by token: special tokens in every order, and characters of several tokens."""

from itertools import product

from bughunt.lab.measuring.scripted_chat import byte_tokenizer, spell
from bughunt.lab.measuring.specials import SPECIAL_TOKENS

CALL = ("<|python_start|>", "1+1", "<|python_end|>")
OUTPUT = ("<|output_start|>", "2", "<|output_end|>")
END = "<|assistant_end|>"
# One of each way to be after some tokens.
BEGINNINGS = {
    "text": ("Well, ",),
    "a call": ("Well, ", "<|python_start|>", "1+"),
    "a call that is closed": CALL,
    "an output": (*CALL, "<|output_start|>", "2"),
    "an output that is closed": (*CALL, *OUTPUT),
    "the end": ("Well.", END),
    "nothing": (),
    "what breaks the format": ("<|user_start|>",),
}
ENDINGS = {
    "text": ("!", END),
    "the end": (END,),
    "another call": (*CALL, *OUTPUT, END),
    "what a call has": ("<|python_end|>", *OUTPUT, END),
    "an output": (*OUTPUT, END),
    "the rest of an output": ("<|output_end|>", END),
    "text without an end": ("?",),
    **{name: (name,) for name in SPECIAL_TOKENS},
}


def draw(rng):
    """Pieces in any order, and a text of characters of one to four bytes."""
    pieces = [*SPECIAL_TOKENS, "a", "the", "é", "1"]
    return {
        "mixed": [rng.choices(pieces, k=rng.randint(3, 9)) for _ in range(12)],
        "text": "".join(rng.choices("aé☃🙂ß日", k=12)),
        "cut": rng.randint(1, 3),
    }


def measure(inputs):
    """What `parse_turn` makes of every turn, and `TurnReader` of every token of some."""
    from nanochat.chat import parse_turn

    tokenizer = byte_tokenizer("th", "he")
    text, cut = inputs["text"], inputs["cut"]
    turns = {
        f"{one}, then {other}": parse_turn(iter(spell(tokenizer, *before, *after)), tokenizer)
        for (one, before), (other, after) in product(BEGINNINGS.items(), ENDINGS.items())
    }
    # A character of which bytes are missing, before more text and before a special token.
    broken = [*tokenizer.encode("🙂")[:cut], *tokenizer.encode("abc🙂")[: 3 + cut]]
    return {
        "turns": {name: described(turn) for name, turn in turns.items()},
        "mixed": [token_by_token(spell(tokenizer, *pieces), tokenizer) for pieces in inputs["mixed"]],
        "characters": token_by_token(spell(tokenizer, text, END), tokenizer),
        "broken characters": token_by_token([*broken, *spell(tokenizer, *CALL, "a")], tokenizer),
        "no token": described(parse_turn([], tokenizer)),
    }


def described(turn):
    return {
        "parts": [[part["type"], part["text"]] for part in turn.parts],
        "text": turn.text,
        "well formed": turn.well_formed,
        "tokens": turn.num_tokens,
        "tool calls": turn.tool_calls,
    }


def token_by_token(tokens, tokenizer):
    from nanochat.chat import TurnReader

    reader = TurnReader(tokenizer)
    read = [[*reader.read(token), bool(reader.turn.well_formed)] for token in tokens]
    return {"read": read, **described(reader.turn)}
