"""Encodes and decodes texts of all kinds, with nothing in front of them."""

from bughunt.lab.measuring import texts
from bughunt.lab.measuring.pools import largest_pool
from bughunt.lab.measuring.refusals import refusal
from bughunt.lab.measuring.specials import SPECIAL_TOKENS


def draw(rng):
    """Texts with something for every rule of the split pattern, and a corpus that they can be merged by."""
    word, other = texts.word(rng) + "an", texts.word(rng) + "on"
    year = str(rng.randint(1000, 9999))
    samples = [
        f"{word}'s {word}'ll I've YOU'RE it'd we'm don't 'tis 'x IT'S{other} 'RE{other}",
        f"{year} 7 42 123 {year}{year} {word}{year}{other}",
        f" ;;;== ({word}) [{other}]\r\n\r\n--\t{word}=={other};\n\n",
        f"{word}  {other}   \n  \n\n\t\t{word} \r\n {other}   ",
        f"{word}\n{other}\n\n\n{word} \u00a0 ½ ² ٣٤٥ 日本語 Ωμέγα é e\u0301 🙂🙂",
        f"{rng.choice(SPECIAL_TOKENS)}{word}<|bos|> <|user_end|>",
        texts.sentence(rng, 8),
        "",
        " ",
        "a",
    ]
    return {
        "corpus": [*samples[:5] * 4, *(texts.sentence(rng, 20) for _ in range(3))],
        "texts": samples,
        "behind": [rng.choice(SPECIAL_TOKENS), "<|output_end|>", 0, rng.randint(1, 255), 256],
        "unknown": ["<|none|>", "bos", texts.word(rng), "", -1, -rng.randint(2, 9), 10**6],
        "threads": rng.randint(2, 5),
    }


def measure(inputs):
    """The ids of every text in every form, what they decode to, and what is refused."""
    from nanochat.tokenizer import RustBPETokenizer

    tokenizer = RustBPETokenizer.train_from_iterator(inputs["corpus"], 256 + 90 + len(SPECIAL_TOKENS))
    samples, size = inputs["texts"], tokenizer.get_vocab_size()
    rows = [tokenizer.encode(text) for text in samples]
    measured = {
        "ids": rows,
        "decoded": [tokenizer.decode(row) for row in rows],
        "in a list": tokenizer.encode(samples),
        "called": tokenizer(samples[0]),
        "in a list, called": tokenizer(samples),
        "behind": {
            str(token): [tokenizer.encode(samples[0], append=token), tokenizer.encode(samples, append=token)]
            for token in [*inputs["behind"], size - 1]
        },
        "every token": [tokenizer.id_to_token(number) for number in range(size)],
        "half a character": tokenizer.decode(list("é日".encode()[1:-1])),
        "nothing": tokenizer.decode([]),
        "of a tuple": tokenizer.decode(tuple(rows[0])),
    }
    measured["more threads than asked for"] = {
        "one": largest_pool(lambda: tokenizer.encode(samples, num_threads=1)) > 1,
        "several": largest_pool(lambda: tokenizer.encode(samples, None, None, inputs["threads"]))
        > inputs["threads"],
        "eight": largest_pool(lambda: tokenizer.encode(samples)) > 8,
    }
    unknown = [*inputs["unknown"], size]
    measured["refused"] = {
        "in front": [refusal(tokenizer.encode, "a", prepend=token) for token in unknown],
        "in front, list": [refusal(tokenizer.encode, ["a"], prepend=token) for token in unknown],
        "behind": [refusal(tokenizer.encode, "a", append=token) for token in unknown],
        "behind, list": [refusal(tokenizer.encode, ["a"], append=token) for token in unknown],
        "no text": [refusal(tokenizer.encode, text) for text in (3, None)],
        "decoding": [refusal(tokenizer.decode, [number]) for number in (-1, size, 10**6, 2**40)],
        "one id": [refusal(tokenizer.id_to_token, number) for number in (-1, size)],
    }
    return measured
