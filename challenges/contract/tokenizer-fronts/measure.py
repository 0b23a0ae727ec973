"""Encodes texts with tokens in front of them, alone and in lists, with and without a token behind."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.specials import SPECIAL_TOKENS


def draw(rng):
    """Texts, some of them equal or empty, and the tokens to put in front: by name, and by ids."""
    twice = texts.sentence(rng, 3)
    samples = [twice, "", f"a {texts.word(rng)}", twice, f"<|bos|>{texts.word(rng)}", "a"]
    fronts = ["<|bos|>", rng.choice(SPECIAL_TOKENS[1:]), 0, ord("a"), rng.randint(1, 255), 256]
    return {
        "corpus": [texts.sentence(rng, 30) for _ in range(4)],
        "texts": samples,
        "fronts": fronts,
        "behind": [None, rng.choice(SPECIAL_TOKENS), 0],
    }


def measure(inputs):
    """For every token in front: the ids of each text alone, of the list of all, and of lists of one and none.

    The last id of the vocabulary is asked for, too, and the tokenizer is called as `encode` is. Every answer
    is spoilt once it is noted, so that one that is handed out again would show.
    """
    from nanochat.tokenizer import RustBPETokenizer

    tokenizer = RustBPETokenizer.train_from_iterator(inputs["corpus"], 256 + 12 + len(SPECIAL_TOKENS))
    last = tokenizer.get_vocab_size() - 1
    measured = {"bos": _noted(tokenizer.encode("a", prepend=tokenizer.get_bos_token_id()))}
    for front in [*inputs["fronts"], last]:
        for behind in inputs["behind"]:
            options = {"prepend": front, "append": behind}
            measured[f"{front} in front, {behind} behind"] = {
                "one by one": [_noted(tokenizer.encode(text, **options)) for text in inputs["texts"]],
                "all at once": _noted(tokenizer.encode(inputs["texts"], **options)),
                "a list of one": _noted(tokenizer.encode(inputs["texts"][:1], front, behind, 1)),
                "an empty list": _noted(tokenizer.encode([], **options)),
                "called": _noted(tokenizer(inputs["texts"][0], front, behind)),
            }
    measured["the texts"] = inputs["texts"]
    return measured


def _noted(answer):
    """A copy of the answer, which is spoilt."""
    noted = [list(one) if isinstance(one, list) else one for one in answer]
    for row in answer:
        if isinstance(row, list):
            row.append(1)
    answer.append(2)
    return noted
