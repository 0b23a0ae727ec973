"""Talks with a model whose answers are known: what is read in every turn, and what the session has then."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.scripted_chat import ScriptedChat, byte_tokenizer, spell
from bughunt.lab.measuring.scripted_model import ScriptedModel
from bughunt.lab.measuring.storages import bytes_held

END = "<|assistant_end|>"


def draw(rng):
    """Messages and answers of a conversation; one answer is cut off, one is empty, one ends with <|bos|>."""
    messages = [texts.sentence(rng, rng.randint(1, 3)) for _ in range(7)]
    answers = [[texts.sentence(rng, 1), END] for _ in range(7)]
    answers[1] = [texts.word(rng) + " and so on for ever", END]
    answers[2] = [END]
    answers[3] = ["bye", "<|bos|>"]
    answers[4] = ["<|user_start|>", "me", "<|user_end|>", "you", END]
    return {"messages": messages, "answers": answers, "max_tokens": rng.randint(9, 12)}


def measure(inputs):
    """The turns of a session of few tokens, of one with the defaults, and after a reset."""
    from nanochat.chat import ChatSession
    from nanochat.engine import Engine

    tokenizer = byte_tokenizer("th", "an")
    answers = [spell(tokenizer, *pieces) for pieces in inputs["answers"]]
    found = {}
    for name, count, options in (
        ("short", len(answers), {"max_tokens": inputs["max_tokens"]}),
        ("by default", 2, {}),
    ):
        model = ScriptedChat(tokenizer, answers[:count] + answers[:2], sequence_len=32)
        session = ChatSession(Engine(model, tokenizer), **options)
        new = state_of(session)
        turns = [say(session, model, message) for message in inputs["messages"][:count]]
        session.reset()
        reset = state_of(session)
        again = [say(session, model, message) for message in inputs["messages"][:2]]
        found[name] = {"new": new, "turns": turns, "after a reset": reset, "again": again}
    return {**found, "never ending": never_ending(tokenizer)}


def say(session, model, message):
    """One turn: what is shown, which tokens are read for it, and the session's state."""
    model.read.clear()
    shown = [list(piece) for piece in session.say(message)]
    return {"shown": shown, "read": list(model.read), **state_of(session)}


def state_of(session):
    return {"tokens": list(session.tokens), "turn": session.turns, "position": int(session.cache.get_pos())}


def never_ending(tokenizer):
    """How long an answer becomes that does not end by itself, and what is read for one that is given up."""
    from nanochat.chat import ChatSession
    from nanochat.engine import Engine

    letter = ord("o")
    session = ChatSession(Engine(ScriptedModel([[]], tokenizer.get_vocab_size(), [letter]), tokenizer))
    lengths = [len(list(session.say("go"))), len(session.tokens)]
    model = ScriptedChat(tokenizer, [[letter] * 9], sequence_len=3000)
    session = ChatSession(Engine(model, tokenizer))
    answer = session.say("go on")
    pieces = [next(answer) for _ in range(3)]
    # A position takes 16 bytes; there may be somewhat more of them than the model is made for.
    return {
        "lengths": lengths,
        "given up": [list(piece) for piece in pieces],
        "read": list(model.read),
        "the cache has room for many more": bytes_held(session.cache) > 16 * (1.25 * 3000 + 1100),
    }
