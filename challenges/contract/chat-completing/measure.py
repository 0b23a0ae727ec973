"""Completes conversations with a model whose answers are known: what it was asked, and the answer."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.models import make_model, randomise
from bughunt.lab.measuring.scripted_chat import ScriptedChat, byte_tokenizer, spell
from bughunt.lab.measuring.scripted_model import ScriptedModel

END = "<|assistant_end|>"


def draw(rng):
    """Conversations of one and of three turns, with a reference answer and without, and answers to them."""

    def message(role):
        return {"role": role, "content": texts.sentence(rng, rng.randint(1, 3))}

    one, three = ([message("user"), message("assistant"), message("user")][:count] for count in (1, 3))
    return {
        "conversations": {
            "one turn": one,
            "one turn and a reference": [*one, message("assistant")],
            "three turns": three,
            "three turns and a reference": [*three, message("assistant")],
            "told by the system": [message("system"), *one],
        },
        "answer": texts.sentence(rng, 2),
        "weights": rng.randrange(2**31),
    }


def measure(inputs):
    """The tokens that are read, the turn, and how long it becomes if it does not end."""
    from nanochat.chat import complete
    from nanochat.engine import Engine

    tokenizer = byte_tokenizer()
    found = {}
    for name, messages in inputs["conversations"].items():
        model = ScriptedChat(tokenizer, [spell(tokenizer, inputs["answer"], END)])
        turn = complete(Engine(model, tokenizer), {"messages": messages})
        found[name] = {"read": model.read, **described(turn)}
    endless = ScriptedModel([[]], tokenizer.get_vocab_size(), [ord("o")])
    conversation = {"messages": inputs["conversations"]["one turn"]}
    return {
        **found,
        "endless": described(complete(Engine(endless, tokenizer), conversation)),
        "endless, 7 tokens": described(complete(Engine(endless, tokenizer), conversation, max_tokens=7)),
        "temperature": temperatures(inputs, tokenizer, conversation),
    }


def temperatures(inputs, tokenizer, conversation):
    """Whether the answer of a model of random weights is the likeliest."""
    from nanochat.chat import complete, parse_turn
    from nanochat.engine import Engine

    model = make_model(sequence_len=256, vocab_size=tokenizer.get_vocab_size(), n_head=2, n_embd=8)
    randomise(model, inputs["weights"], scale=1.0)
    engine = Engine(model, tokenizer)
    prompt = tokenizer.render_for_completion(conversation)
    right = [column[0] for column, _ in engine.generate(prompt, max_tokens=8, temperature=0.0)]

    def parts(**options):
        return complete(engine, conversation, max_tokens=8, **options).parts

    greedy = parse_turn(right, tokenizer).parts
    return {
        "greedy by default": parts() == greedy,
        "greedy": parts(temperature=0.0) == greedy,
        "cold": parts(temperature=1e-4) == greedy,
        "warm": parts(temperature=1.0) == greedy,
    }


def described(turn):
    parts = [[part["type"], part["text"]] for part in turn.parts]
    return {"parts": parts, "well formed": turn.well_formed, "tokens": turn.num_tokens, "text": turn.text}
