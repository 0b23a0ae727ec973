"""Problems of two-digit arithmetic: operands, operations, questions, the calculator's part, splits.

Which problem has which number is a matter of chance; what is compared is what all of them have, and shares.
"""

from fractions import Fraction

KINDS = (("train", "train"), ("test", "train"), ("train", "held_out"), ("test", "held_out"))


def draw(rng):
    """Seeds for the problems; operands to divide."""
    quotients = [[rng.randint(10, 99), rng.randint(10, 99), places] for places in (1, 2, 3, 4) * 6]
    # a tie is rounded up, and a quotient may be whole
    quotients += [[25, 20, 1], [33, 40, 2], [99, 16, 3], [10, 99, 4], [80, 20, 1], [90, 60, 1]]
    return {"seed": rng.randrange(1000), "quotients": quotients}


def measure(inputs):
    """What the problems of each kind have in common, and what the operands of the splits share."""
    from nanochat.calculator import use_calculator

    from nanochat import tasks

    pairs, data = {}, {}
    for split, phrasings in KINDS:
        size = 600 if (split, phrasings) == ("train", "train") else 120
        task = tasks.Arithmetic(split, phrasings=phrasings, size=size, seed=inputs["seed"])
        problems = [read(task[index]) for index in range(size)]
        pairs.setdefault(split, set()).update(frozenset(one["operands"]) for one in problems)
        kind = f"{split}, {'new' if phrasings == 'held_out' else 'trained'} phrasings"
        data[kind] = describe(problems, phrasings)
        if size == 600:
            sentences = ("sentence" in how_asked(one, phrasings) for one in problems)
            data[kind]["in whole sentences"] = any(sentences)
            data[kind]["decimal places"] = sorted({one["places"] for one in problems})
            a, b = zip(*(one["operands"] for one in problems), strict=True)
            data[kind]["share of each operation"] = {
                name: sum(one["operation"] == name for one in problems) / size for name in "+-*/"
            }
            data[kind]["operands from"] = [min(a), min(b)]
            data[kind]["operands to"] = [max(a), max(b)]
    data["share of different operands in examinations"] = len(pairs["test"]) / 240
    # 90 numbers, each in many pairs: one in ten of the pairs has most of them
    data["examinations have many numbers"] = [
        len({pick(pair) for pair in pairs["test"]}) > 30 for pick in (min, max)
    ]
    data["operands that both splits have"] = len(pairs["train"] & pairs["test"])
    data["rounded quotients"] = {
        f"{a}/{b} to {places}": use_calculator(tasks.rounded_quotient(a, b, places))
        for a, b, places in inputs["quotients"]
    }
    return data


def read(conversation):
    """The parts of a problem: question, operands, operation, decimal places, result, what is shown."""
    import re

    question, answer = (message["content"] for message in conversation["messages"])
    roles = [message["role"] for message in conversation["messages"]]
    call, output, text = answer
    kinds = [part["type"] for part in answer]
    plain = re.fullmatch(r"(\d+)([-+*])(\d+)", call["text"])
    if plain:
        a, operation, b, places = int(plain[1]), plain[2], int(plain[3]), 0
    else:
        places = int(re.search(r"(\d) decimal place", question)[1])
        a, b = operands_in(question, call["text"], places)
        operation = "/"
    return {
        "question": question,
        "form": [roles, kinds],
        "operands": (a, b),
        "operation": operation,
        "places": places,
        "result": Fraction(output["text"]),
        "shown": text["text"] == f"The answer is {output['text']}.",
        "plural": places == 0 or (f"{places} decimal places" in question) == (places > 1),
    }


def operands_in(question, expression, places):
    """Dividend and divisor, of which a question may tell the divisor first."""
    import re

    from nanochat.calculator import use_calculator

    a, b = (int(number) for number in re.findall(r"\d\d+", question))
    value = Fraction(use_calculator(expression))
    return (a, b) if abs(value - Fraction(a, b)) <= Fraction(1, 10**places) else (b, a)


def exact(one):
    """The result that is right: a quotient is rounded half up."""
    a, b = one["operands"]
    if one["operation"] == "/":
        scale = 10 ** one["places"]
        return Fraction((2 * a * scale + b) // (2 * b), scale)
    return {"+": a + b, "-": a - b, "*": a * b}[one["operation"]]


def describe(problems, phrasings):
    """What all problems of a kind have."""
    from nanochat.phrasings import CLOSINGS, OPENINGS

    asked = [how_asked(one, phrasings) for one in problems[:40]]
    return {
        "form": [one["form"] for one in problems[:2]],
        "all of that form": all(one["form"] == problems[0]["form"] for one in problems),
        "results are right": all(exact(one) == one["result"] for one in problems),
        "results are shown": all(one["shown"] for one in problems),
        "places are named": all(one["plural"] for one in problems),
        "operations": sorted({one["operation"] for one in problems}),
        "in words that are known": all(asked),
        "in new sentences": phrasings == "held_out" and any("sentence" in one for one in asked),
        "opened": any(one["question"].startswith(tuple(OPENINGS)) for one in problems),
        "closed": any(one["question"].endswith(tuple(CLOSINGS)) for one in problems),
    }


def how_asked(one, phrasings):
    """Ways to ask in which the question can be understood: "frame", "sentence", both or none."""
    from nanochat.phrasings import ARITHMETIC_FRAMES, ARITHMETIC_PHRASINGS

    nouns, sentences = ARITHMETIC_PHRASINGS[phrasings][one["operation"]]
    a, b = one["operands"]
    places = f"{one['places']} decimal place" + "s" * (one["places"] > 1)
    said = [sentence.format(a=a, b=b, places=places) for sentence in sentences]
    named = [noun.format(a=a, b=b, places=places) for noun in nouns]
    question = one["question"]
    found = {"sentence"} if any(sentence in question for sentence in said) else set()
    framed = (
        frame.format(noun) for noun in named if noun in question for frame in ARITHMETIC_FRAMES[phrasings]
    )
    return found | ({"frame"} if any(text in question for text in framed) else set())
