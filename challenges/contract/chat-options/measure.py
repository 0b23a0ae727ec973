"""Talks with a model that would say any letter, and with one that believes in some more than in others."""

from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.scripted_chat import ScriptedChat, byte_tokenizer, spell

ANY_LETTER = list(range(ord("a"), ord("z") + 1))


def draw(rng):
    """Seeds of sessions and of a model."""
    return {"seed": rng.randrange(1, 2**20), "weights": rng.randrange(2**31)}


def measure(inputs):
    """Answers to questions about what was said: is it the same?"""
    tokenizer = byte_tokenizer()
    seed = inputs["seed"]

    def turns(**options):
        """The same message twice, and again after a reset."""
        session = session_with(ScriptedChat(tokenizer, [[ANY_LETTER] * 6] * 3), tokenizer, **options)
        said = [shown(session, "hey") for _ in range(2)]
        session.reset()
        return [*said, shown(session, "hey")]

    warm = turns(temperature=1.0, seed=seed)
    return {
        "the same again": turns(temperature=1.0, seed=seed) == warm,
        "after a reset": warm[2] == warm[0],
        "the next turn": warm[1] == warm[0],
        "another seed": turns(temperature=1.0, seed=seed + 10) == warm,
        "a seed by default": turns(temperature=1.0) == turns(temperature=1.0, seed=42),
        "letters of six": len(warm[0]),
        **with_beliefs(inputs, tokenizer),
    }


def with_beliefs(inputs, tokenizer):
    """A model of random weights in place of a script; and the same conversation read anew in every turn."""
    from nanochat.engine import Engine

    model = make_model(sequence_len=32, vocab_size=tokenizer.get_vocab_size(), n_head=2, n_embd=8)
    randomise(model, inputs["weights"], scale=1.0)

    def first(**options):
        return shown(session_with(model, tokenizer, max_tokens=8, **options), "hey")

    greedy = first()
    session = session_with(model, tokenizer, max_tokens=6)
    anew = []
    for message in ("one", "two", "three"):
        turn = spell(tokenizer, "<|user_start|>", message, "<|user_end|>", "<|assistant_start|>")
        prompt = [*session.tokens, *turn]
        columns = Engine(model, tokenizer).generate(prompt, max_tokens=6, temperature=0.0)
        right = [column[0] for column, _ in columns]
        shown(session, message)
        anew.append(session.tokens[len(prompt) :][: len(right)] == right)
    return {
        "greedy by default": first(temperature=0.0, seed=1) == greedy,
        "the likeliest": first(temperature=1.0, top_k=1) == greedy,
        "cold": first(temperature=1e-4) == greedy,
        "warm": first(temperature=1.0, seed=inputs["seed"]) == greedy,
        "as to the whole text": anew,
    }


def session_with(model, tokenizer, **options):
    from nanochat.chat import ChatSession
    from nanochat.engine import Engine

    return ChatSession(Engine(model, tokenizer), **options)


def shown(session, message):
    return "".join(text for _, text in session.say(message))
