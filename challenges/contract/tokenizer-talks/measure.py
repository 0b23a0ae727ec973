"""Renders conversations to tokens: whole, cut short, and as prompts for the assistant's next words."""

from copy import deepcopy

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.specials import SPECIAL_TOKENS


def draw(rng):
    """Conversations of all kinds, one of them longer than the default limit, and ones that are none."""

    def say(role, words=4):
        return {"role": role, "content": texts.sentence(rng, words)}

    def part(kind):
        return {"type": kind, "text": texts.sentence(rng, 2)}

    def answer(*kinds):
        return {"role": "assistant", "content": [part(kind) for kind in kinds]}

    system, user, assistant = say("system"), say("user"), say("assistant")
    spelled = {"role": "user", "content": f"<|assistant_start|>{rng.choice(SPECIAL_TOKENS)} 12"}
    talks = {
        "a question": [user],
        "an answer": [user, assistant],
        "two answers": [user, assistant, say("user"), say("assistant", 2)],
        "a second question": [user, answer("text"), spelled],
        "a system message": [system, user, assistant, say("user")],
        "only a system message and a question": [system, user],
        "a tool": [user, answer("text", "python", "python_output", "text")],
        "tools in a row": [user, answer("python", "python_output", "python", "python_output"), say("user")],
        "an output first": [system, user, answer("python_output", "python"), say("user")],
        "two texts": [user, answer("text", "text")],
        "empty texts": [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}],
        "no parts": [user, {"role": "assistant", "content": []}],
        "a long answer": [user, {"role": "assistant", "content": "a b " * 1100}, say("user")],
    }
    wrong = {
        "no messages": [],
        "the assistant first": [assistant, user],
        "the user twice": [user, user],
        "the assistant twice": [user, assistant, assistant],
        "a system message alone": [system],
        "a system message before the assistant": [system, assistant],
        "a system message later": [user, assistant, system],
        "two system messages": [system, system, user],
        "an unknown role": [user, say("tool")],
        "no role": [{"content": "a"}],
        "no content": [{"role": "user"}],
        "the user in parts": [answer("text") | {"role": "user"}],
        "the system in parts": [answer("text") | {"role": "system"}, user],
        "a message that is a text": ["a"],
        "a message that is a number": [3],
        "an unknown part": [user, answer("text", "image")],
        "a part that is a text": [user, {"role": "assistant", "content": ["a"]}],
        "a part without text": [user, {"role": "assistant", "content": [{"type": "text"}]}],
        "a part without type": [user, {"role": "assistant", "content": [{"text": "a"}]}],
        "an answer that is a number": [user, {"role": "assistant", "content": 3}],
        "messages that are a text": "ab",
        "messages that are a number": 3,
    }
    return {
        "corpus": [texts.sentence(rng, 30) for _ in range(2)],
        "talks": talks,
        "limits": [None, 1, 2, rng.randint(5, 20), 2048],
        "wrong": wrong,
    }


def measure(inputs):
    """For every conversation: ids and mask, ids at every limit, and the prompt; and whether it is left alone.
    For every one that is none: what comes of rendering it.
    """
    from nanochat.tokenizer import RustBPETokenizer

    tokenizer = RustBPETokenizer.train_from_iterator(inputs["corpus"], 256 + 20 + len(SPECIAL_TOKENS))
    measured = {"cut": {}, "left alone": {}, "wrong": {}}
    for name, messages in inputs["talks"].items():
        talk = {"messages": messages}
        before = deepcopy(talk)
        ids, mask = tokenizer.render_conversation(talk)
        measured[name] = {
            "ids": ids,
            "mask": mask,
            "as text": tokenizer.decode(ids),
            "prompt": tokenizer.render_for_completion(talk),
        }
        measured["cut"][name] = {
            str(limit): _ends(*tokenizer.render_conversation(talk, max_tokens=limit))
            for limit in inputs["limits"]
        }
        measured["left alone"][name] = talk == before
    for name, messages in inputs["wrong"].items():
        talk = {"messages": messages}
        measured["wrong"][name] = [
            refusal(tokenizer.render_conversation, talk),
            refusal(tokenizer.render_for_completion, talk),
        ]
    measured["wrong"]["no conversation"] = [
        refusal(tokenizer.render_conversation, talk) for talk in ([], {}, {"messages": None}, "a")
    ]
    return measured


def _ends(ids, mask):
    return {"length": [len(ids), len(mask)], "last": [ids[-3:], mask[-3:]]}
